package kafka

import (
	"testing"

	"github.com/leakveil/leakveil/internal/kafkatest"
)

// The same on a real broker, which judges where the in-process one is lenient.
func TestProducerOnARealBroker(t *testing.T) {
	broker := kafkatest.Start(t)
	broker.CreateTopics(t,
		kafkatest.Topic{Name: "codecs", Partitions: 2},
		kafkatest.Topic{Name: "answers"},
		kafkatest.Topic{Name: "narrow", Partitions: 2, Config: map[string]string{"max.message.bytes": "20000"}})
	c := Connection{Brokers: []string{broker.Addr()}}
	through := newTap(t, c)
	opts := impatient(c)
	t.Run("every codec", func(t *testing.T) { produceEveryCodec(t, c, "codecs", NewProducer(through, opts, nil)) })
	t.Run("batch too large", func(t *testing.T) { halve(t, c, "narrow", NewProducer(through, opts, nil)) })
	t.Run("record too large", func(t *testing.T) { nameTooLarge(t, c, "narrow", NewProducer(through, opts, nil)) })
	t.Run("lost answers", func(t *testing.T) {
		fresh := newTap(t, c)
		loseAnswers(t, c, "answers", fresh, NewProducer(fresh, opts, nil))
	})
}
