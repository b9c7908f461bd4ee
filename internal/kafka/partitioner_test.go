package kafka

import (
	"testing"

	kafkago "github.com/segmentio/kafka-go"
	"pgregory.net/rapid"
)

// Values of Kafka's UtilsTest.testMurmur2.
func TestMurmur2GivesJavasValues(t *testing.T) {
	for key, want := range map[string]int32{
		"21":                         -973932308,
		"foobar":                     -790332482,
		"a-little-bit-long-string":   -985981536,
		"a-little-bit-longer-string": -1486304829,
		"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
		"abc": 479470107,
	} {
		if got := int32(murmur2([]byte(key))); got != want {
			t.Errorf("murmur2(%q) = %d, want %d", key, got, want)
		}
	}
}

// kafka-go's balancer is another implementation of the same hash.
func TestPartitionForAgreesWithKafkaGo(t *testing.T) {
	balancer := kafkago.Murmur2Balancer{Consistent: true}
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SliceOf(rapid.Byte()).Draw(t, "key")
		n := rapid.IntRange(1, 500).Draw(t, "partitions")
		all := make([]int, n)
		for i := range all {
			all[i] = i
		}
		want := balancer.Balance(kafkago.Message{Key: append([]byte{}, key...)}, all...)
		if got := PartitionFor(key, int32(n)); int(got) != want {
			t.Fatalf("%d, kafka-go says %d", got, want)
		}
	})
}
