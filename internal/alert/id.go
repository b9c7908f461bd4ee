package alert

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash"
	"strconv"

	"github.com/leakveil/leakveil/internal/event"
)

// idLen is the length of an id: 128 bits in base64url without padding.
const idLen = 22

// DetectionID returns the stable id of the finding of rule at w: 22 base64url
// characters of HMAC-SHA-256(key, place ‖ rule ‖ start), truncated to 128 bits.
// The place is topic, partition, offset and field, or file and line; places in
// OpenTelemetry's data have no number, so that their ids are made where they are found.
// Every part carries its length, so that no two places write the same bytes.
func DetectionID(key []byte, w event.Where, rule string) string {
	mac := hmac.New(sha256.New, key)
	if w.Topic != "" {
		write(mac, "leakveil.detection.kafka", w.Topic, num(int64(w.Partition)), num(w.Offset), w.Field)
	} else {
		write(mac, "leakveil.detection.file", w.File, num(w.Line), w.Field)
	}
	write(mac, rule, num(int64(w.Start)))
	return encodeID(mac)
}

// PayloadID is DetectionID for a finding inside of what a record of Kafka holds: inner is
// the id that it has there, and n how many before it in the record have the same.
func PayloadID(key []byte, w event.Where, inner string, n int) string {
	mac := hmac.New(sha256.New, key)
	write(mac, "leakveil.detection.payload", w.Topic, num(int64(w.Partition)), num(w.Offset), inner, num(int64(n)))
	return encodeID(mac)
}

func num(n int64) string { return strconv.FormatInt(n, 10) }

// write feeds parts to mac, each behind its length.
func write(mac hash.Hash, parts ...string) {
	var size [8]byte
	for _, part := range parts {
		binary.BigEndian.PutUint64(size[:], uint64(len(part)))
		mac.Write(size[:])
		mac.Write([]byte(part))
	}
}

func encodeID(mac hash.Hash) string {
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16])
}

// group is what detections of one alert have in common besides the window.
type group struct {
	client, kind, rule, source, region, keyID, traffic string
}

// groupOf returns the group of a cleaned detection. The key id is part of it
// since fingerprints under two keys cannot be compared, and the region since an
// alert names one.
func groupOf(d event.Detection) group {
	source := "topic:" + d.Where.Topic
	switch {
	case d.Where.Topic != "":
	case d.Where.Signal != "":
		source = "otlp:" + d.Service
	default:
		source = "file:" + d.Where.File
	}
	return group{
		client: ClientKey(d.Client), kind: d.Kind, rule: d.Rule,
		source: source, region: d.Region, keyID: d.KeyID, traffic: d.Traffic,
	}
}

// ClientKey returns one string for a client, the same for every detection that
// names it and different from any other client's: "id:" and the id, "any:" and
// the lengths and names of the candidates, or "unknown". Together with the kind
// it is the record key of a detection on a topic, so that an alert's
// detections share a partition.
func ClientKey(c event.Client) string {
	c = cleanClient(c)
	switch {
	case c.ID != "":
		return "id:" + c.ID
	case len(c.Candidates) > 0:
		key := "any:"
		for _, candidate := range c.Candidates {
			key += num(int64(len(candidate))) + ":" + candidate
		}
		return key
	default:
		return "unknown"
	}
}

// groupID is the same for every alert of one group and window, in any order of
// detections.
func groupID(key []byte, g group, start int64) string {
	mac := hmac.New(sha256.New, key)
	write(mac, "leakveil.group", g.client, g.kind, g.rule, g.source, g.region, g.keyID, num(start))
	if g.traffic != "" {
		write(mac, g.traffic)
	}
	return encodeID(mac)
}

// alertID adds the detection that opened the alert and its position in the log:
// a group that closed and opens again in the same window, be it by a repeated
// delivery of its first detection, must not use the first one's sequence numbers.
func alertID(key []byte, group, first string, pos int64) string {
	mac := hmac.New(sha256.New, key)
	write(mac, "leakveil.alert", group, first, num(pos))
	return encodeID(mac)
}
