package kafkatest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
)

// defaultVersion is the broker that tests run on; the environment variable
// LEAKVEIL_KAFKA_VERSION names another one.
const defaultVersion = "4.3.1"

const install = "install them with: apt-get install openjdk-17-jre-headless maven"

const copyPlugin = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"

// distribution is where the jars of one Kafka version are.
type distribution struct {
	java  string // the program
	cache string // <repository>/.cache/kafka/<version>
}

func (d distribution) classpath() string { return filepath.Join(d.cache, "libs", "*") }

// findDistribution fetches the jars when they are not there yet. Test processes
// of several packages wait for each other.
func findDistribution() (distribution, error) {
	java, err := findJava()
	if err != nil {
		return distribution{}, err
	}
	root, err := repository()
	if err != nil {
		return distribution{}, err
	}
	version := os.Getenv("LEAKVEIL_KAFKA_VERSION")
	if version == "" {
		version = defaultVersion
	}
	d := distribution{java: java, cache: filepath.Join(root, ".cache", "kafka", version)}
	if err := os.MkdirAll(d.cache, 0o755); err != nil {
		return distribution{}, err
	}
	return d, d.locked(func() error { return d.fetch(filepath.Join(root, "deploy", "kafka", "pom.xml"), version) })
}

// locked runs fn while no other process runs one for this distribution.
func (d distribution) locked(fn func() error) error {
	lock, err := os.OpenFile(filepath.Join(d.cache, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("lock %s: %w", lock.Name(), err)
	}
	return fn()
}

func (d distribution) fetch(pom, version string) error {
	marker := filepath.Join(d.cache, "complete")
	if _, err := os.Stat(marker); err == nil {
		return nil
	}
	mvn, err := exec.LookPath("mvn")
	if err != nil {
		return errors.New("kafkatest: Maven is missing; " + install)
	}
	out, err := exec.Command(mvn, "-B", "-q", "-f", pom, "-Dkafka.version="+version, copyPlugin,
		"-DincludeScope=runtime", "-DoutputDirectory="+filepath.Join(d.cache, "libs")).CombinedOutput()
	if err != nil {
		return fmt.Errorf("kafkatest: fetching the Kafka %s jars: %w\n%s", version, err, out)
	}
	return os.WriteFile(marker, nil, 0o644)
}

var javaVersion = regexp.MustCompile(`version "(\d+)`)

func findJava() (string, error) {
	java := "java"
	if home := os.Getenv("JAVA_HOME"); home != "" {
		java = filepath.Join(home, "bin", "java")
	}
	out, err := exec.Command(java, "-version").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("kafkatest: Java 17 or newer is missing (%w); %s", err, install)
	}
	if m := javaVersion.FindSubmatch(out); m != nil {
		if n, err := strconv.Atoi(string(m[1])); err == nil && n < 17 {
			return "", fmt.Errorf("kafkatest: Java %d is too old, Kafka needs 17; %s", n, install)
		}
	}
	return java, nil
}

// repository is the folder of go.mod above the test's working directory.
func repository() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "deploy", "kafka", "pom.xml")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("kafkatest: deploy/kafka/pom.xml is in no folder above the working directory")
		}
		dir = up
	}
}
