package kafka

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// cases are the defects and surprises of kafka-go, and of brokers, that cost
// records or pass what must not pass (docs/design/0004), each with the tests that
// would show it here.
var cases = []struct {
	what  string
	tests []string
}{
	{"a commit after a rebalance goes through under a generation that does not own the partition", []string{
		"TestStaleGenerationCannotCommit", "TestFrozenMemberIsFenced"}},
	{"records of aborted transactions and control batches are delivered", []string{
		"TestAbortedRecordsAreNotDelivered", "TestAbortedTransactionsAndMarkersOnARealBroker"}},
	{"an empty value becomes null, a tombstone", []string{
		"TestEmptyValueIsNoTombstone", "TestRecordsGoThroughUnchanged", "TestNullIsNotEmpty"}},
	{"a batch whose tail was compacted is never passed", []string{
		"TestCompactedTailIsPassed", "TestBatchEmptiedByCompactionIsPassed", "TestCompactedTopicIsReadToItsEnd"}},
	{"a control batch at the end is never passed", []string{
		"TestAbortedRecordsAreNotDelivered", "TestAbortedTransactionsAndMarkersOnARealBroker"}},
	{"offsets lost to retention are jumped over in silence", []string{
		"TestOffsetsLostToRetentionAreReported", "TestRetentionGapOnARealBroker", "TestLogSetBackIsReported"}},
	{"the writer asks for no acknowledgement", []string{"TestProducerAsksForAllReplicas", "TestNothingCommitsBeforeItIsAcknowledged"}},
	{"a later batch is written although an earlier one failed", []string{
		"TestNothingIsWrittenBehindAFailedBatch", "TestOrderIsKeptWhenDeliverAndFetchFail"}},
	{"pauses between attempts cannot be cancelled", []string{"TestProducerStopsWithItsCallersContext"}},
	{"metadata are asked for each message", []string{"TestMetadataAreNotAskedForEachBatch"}},
	{"a request for a producer id with zeros is refused, or takes over a session", []string{"TestProducerAsksForAnIDOfItsOwn"}},
	{"a negative record count ends the process", []string{"TestNegativeCountDoesNotEndTheProcess", "TestBadRecords"}},
	{"a batch of few bytes claims millions of records", []string{"TestClaimOfNineGigabytesIsRefused"}},
	{"a small batch decompresses to gigabytes", []string{
		"TestZstdBombIsRefused", "TestDecompressionBomb", "TestSnappyThatClaimsTooMuch", "TestLimitsAreExact"}},
	{"what was fetched before a rebalance is handed out after it", []string{"TestNothingFetchedIsProcessedAfterARebalance"}},
	{"the pipeline stands still for good after kills", []string{"TestMainJobSurvivesKills", "TestLeaderChangesLoseNothing"}},
	{"the reader is silent after a restart of the broker", []string{"TestBrokerCrashAndRestartLoseNothing"}},
	{"a member that the group does not know any more stays outside", []string{"TestFrozenMemberIsFenced"}},
	{"a queue in memory has no bound", []string{"TestSlowOutputBoundsWhatIsFetched", "TestSlowOutputOnlyPausesFetching"}},
	{"heartbeat errors come out as throttle times", []string{"TestHeartbeatErrorIsSeen", "TestForbiddenPartsOfKafkaGo"}},
	{"leaving errors come out as throttle times", []string{"TestLeavingMemberIsGoneAtOnce", "TestForbiddenPartsOfKafkaGo"}},
	{"heartbeats go to any broker", []string{"TestHeartbeatsReachTheCoordinator"}},
	{"offsets are committed with leader epoch 0", []string{
		"TestOffsetsCommitWithoutALeaderEpoch", "TestLeaderChangesLoseNothing", "TestForbiddenPartsOfKafkaGo"}},
	// Offsets are not committed in transactions, so that none can be unstable; an
	// exactly-once Deliverer needs OffsetFetch with RequireStable.
	{"offsets of a transaction are read before they count", []string{"TestForbiddenPartsOfKafkaGo"}},
	{"joining a cold cluster pauses five seconds after each refusal", []string{"TestColdCoordinatorCostsNoFiveSeconds"}},
	{"a topic without rights looks like no topic", []string{"TestTransportSettings", "TestRightsAreChecked", "TestMissingRightsAreSaidAtTheStart"}},
	{"a batch of a producer id that the broker forgot is accepted with any sequence", []string{
		"TestSessionAfterAFailureIsANewOne", "TestProducerSessionEndsOnRefusedSequence"}},
	{"a request without a deadline waits for ever", []string{"TestConnectionsCutAndStalledLoseNothing", "TestProducerGivesUpAtItsDeadline"}},
}

// tested are the packages in which the tests are.
var tested = []string{".", "recordbatch", "../app"}

func TestEachCaseHasItsTests(t *testing.T) {
	declared := map[string]bool{}
	for _, folder := range tested {
		eachFile(t, folder, func(name string, file *ast.File) {
			for _, d := range file.Decls {
				if f, ok := d.(*ast.FuncDecl); ok && strings.HasSuffix(name, "_test.go") && f.Recv == nil {
					declared[f.Name.Name] = true
				}
			}
		})
	}
	for _, c := range cases {
		if len(c.tests) == 0 {
			t.Errorf("%s: no test", c.what)
		}
		for _, name := range c.tests {
			if !declared[name] {
				t.Errorf("%s: there is no %s", c.what, name)
			}
		}
	}
}

// forbidden are the parts of kafka-go that lose records, hide errors or end the
// process: none may be named outside of tests. Methods are known by their requests.
var forbidden = []string{
	"Reader", "NewReader", "ReaderConfig", "Writer", "NewWriter", "WriterConfig", "FetchRequest", "HeartbeatRequest",
	"LeaveGroupRequest", "OffsetCommitRequest", "TxnOffsetCommitRequest", "ProduceRequest",
}

func TestForbiddenPartsOfKafkaGo(t *testing.T) {
	files := 0
	for _, folder := range []string{"..", "../../cmd"} {
		eachFile(t, folder, func(name string, file *ast.File) {
			if alias := kafkaGo(file); alias != "" && !strings.HasSuffix(name, "_test.go") {
				files++
				ast.Inspect(file, func(n ast.Node) bool {
					s, ok := n.(*ast.SelectorExpr)
					if !ok {
						return true
					}
					if x, ok := s.X.(*ast.Ident); ok && x.Name == alias && slices.Contains(forbidden, s.Sel.Name) {
						t.Errorf("%s uses kafka-go's %s", name, s.Sel.Name)
					}
					return true
				})
			}
		})
	}
	if files < 5 {
		t.Errorf("%d files that use kafka-go were looked at", files)
	}
}

// kafkaGo is the name under which a file imports kafka-go; "" when it does not.
func kafkaGo(file *ast.File) string {
	for _, i := range file.Imports {
		if i.Path.Value == `"github.com/segmentio/kafka-go"` {
			if i.Name != nil {
				return i.Name.Name
			}
			return "kafka"
		}
	}
	return ""
}

func eachFile(t *testing.T, folder string, look func(name string, file *ast.File)) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err == nil {
			look(path, file)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
