// Package kafkatest runs real Apache Kafka brokers (KRaft) for tests: from the
// jars of Maven Central, on free loopback ports, in folders of their own. Brokers
// can be killed, stopped, frozen and started again on their data, and a Proxy
// stands between a client and a broker to cut, delay or stall its connections.
//
// It needs Java 17 or newer, and Maven once, and says so when they are missing.
// It must never be imported by anything but tests, and never leave a broker
// running behind the test process.
package kafkatest
