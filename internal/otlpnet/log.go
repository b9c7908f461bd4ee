package otlpnet

import (
	"context"
	"log/slog"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// zapLogger returns a logger of the kind that components take, which writes to log.
func zapLogger(log *slog.Logger) *zap.Logger { return zap.New(&bridge{log: log}) }

// bridge is a zapcore.Core before a slog.Logger.
type bridge struct {
	log *slog.Logger
}

// Enabled is of zapcore.Core, as are the others.
func (b *bridge) Enabled(l zapcore.Level) bool {
	return b.log.Enabled(context.Background(), level(l))
}

// With see zapcore.Core.
func (b *bridge) With(fields []zapcore.Field) zapcore.Core {
	return &bridge{log: b.log.With(attributes(fields)...)}
}

// Check see zapcore.Core.
func (b *bridge) Check(e zapcore.Entry, to *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if b.Enabled(e.Level) {
		return to.AddCore(e, b)
	}
	return to
}

// Write see zapcore.Core. A component's informational lines are leakveil's debug lines.
func (b *bridge) Write(e zapcore.Entry, fields []zapcore.Field) error {
	b.log.Log(context.Background(), level(e.Level), e.Message, attributes(fields)...)
	return nil
}

// Sync see zapcore.Core.
func (b *bridge) Sync() error { return nil }

func level(l zapcore.Level) slog.Level {
	switch {
	case l <= zapcore.InfoLevel:
		return slog.LevelDebug
	case l == zapcore.WarnLevel:
		return slog.LevelWarn
	}
	return slog.LevelError
}

// attributes leaves out stack traces and what is no plain value.
func attributes(fields []zapcore.Field) []any {
	m := zapcore.NewMapObjectEncoder()
	for _, f := range fields {
		f.AddTo(m)
	}
	out := make([]any, 0, len(m.Fields))
	for name, value := range m.Fields {
		switch value.(type) {
		case string, bool, int, int64, int32, uint32, uint64, float64:
			out = append(out, slog.Any(name, value))
		}
	}
	return out
}
