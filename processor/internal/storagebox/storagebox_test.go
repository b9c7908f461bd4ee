package storagebox_test

import (
	"context"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/leakveil/leakveil/internal/outbox"
	"github.com/leakveil/leakveil/internal/outbox/outboxtest"
	"github.com/leakveil/leakveil/processor/internal/storagebox"
)

// closing closes the storage with the outbox, as a test that opens it again needs.
type closing struct {
	*storagebox.Box
	close func() error
}

func (c closing) Close() error { return c.close() }

func open(t testing.TB, dir string, readers []string, max int64) outbox.Outbox {
	t.Helper()
	f := filestorage.NewFactory()
	cfg := f.CreateDefaultConfig().(*filestorage.Config)
	cfg.Directory = dir
	e, err := f.Create(context.Background(), extensiontest.NewNopSettings(f.Type()), cfg)
	if err == nil {
		err = e.Start(context.Background(), componenttest.NewNopHost())
	}
	if err != nil {
		t.Fatal(err)
	}
	client, err := e.(storage.Extension).GetClient(context.Background(), component.KindProcessor, component.MustNewID("leakveil"), "alerts")
	if err != nil {
		t.Fatal(err)
	}
	b, err := storagebox.Open(context.Background(), storagebox.Options{Client: client, Prefix: "x/", Readers: readers, MaxBytes: max})
	if err != nil {
		t.Fatal(err)
	}
	closed := false
	close := func() error {
		if closed {
			return nil
		}
		closed = true
		_ = b.Close()
		_ = client.Close(context.Background())
		return e.Shutdown(context.Background())
	}
	t.Cleanup(func() { _ = close() })
	return closing{b, close}
}

func TestBoxIsAnOutbox(t *testing.T) { outboxtest.Run(t, open) }

// What the storage says of itself is not believed when it is no state.
func TestDamage(t *testing.T) {
	client := &mapClient{}
	_ = client.Set(context.Background(), "x/state", []byte("{"))
	if _, err := storagebox.Open(context.Background(), storagebox.Options{Client: client, Prefix: "x/"}); err == nil {
		t.Error("opened")
	}
}

// An entry that the storage lost does not hold back what comes behind it.
func TestALostEntryIsPassedOver(t *testing.T) {
	client := &mapClient{}
	b, err := storagebox.Open(t.Context(), storagebox.Options{Client: client, Prefix: "x/", Readers: []string{"a"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Append(t.Context(), outboxtest.Entries(1, 5)); err != nil {
		t.Fatal(err)
	}
	_ = client.Delete(t.Context(), "x/e2")
	got, err := b.Read(t.Context(), 0, 10, 1<<20)
	if err != nil || len(got) != 4 || got[1].ID != "id-3" {
		t.Errorf("%v, %v", got, err)
	}
	if n, err := b.Waiting(t.Context(), "a"); n != 5 || err != nil {
		t.Errorf("%d wait, %v", n, err)
	}
	if err := b.Advance(t.Context(), "a", 5, nil); err != nil {
		t.Fatal(err)
	}
	if len(client.values) != 1 {
		t.Errorf("%d keys are left", len(client.values))
	}
}

// mapClient is a storage in memory.
type mapClient struct{ values map[string][]byte }

func (c *mapClient) Get(_ context.Context, key string) ([]byte, error) { return c.values[key], nil }

func (c *mapClient) Set(ctx context.Context, key string, value []byte) error {
	return c.Batch(ctx, storage.SetOperation(key, value))
}

func (c *mapClient) Delete(ctx context.Context, key string) error {
	return c.Batch(ctx, storage.DeleteOperation(key))
}

func (c *mapClient) Batch(_ context.Context, ops ...*storage.Operation) error {
	if c.values == nil {
		c.values = map[string][]byte{}
	}
	for _, op := range ops {
		switch op.Type {
		case storage.Get:
			op.Value = c.values[op.Key]
		case storage.Set:
			c.values[op.Key] = op.Value
		case storage.Delete:
			delete(c.values, op.Key)
		}
	}
	return nil
}

func (c *mapClient) Close(context.Context) error { return nil }
