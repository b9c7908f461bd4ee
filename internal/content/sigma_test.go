package content_test

import (
	"testing"

	"github.com/leakveil/leakveil/internal/sink/backend"
	"github.com/leakveil/leakveil/internal/sink/field"
)

func sigmaOnOpenSearch(t *testing.T, server *backend.OpenSearch, records []field.Record) {}
