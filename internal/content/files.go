package content

// Files returns every file that is made from the tables, by its path in the
// repository.
func Files() map[string][]byte {
	out := map[string][]byte{
		"deploy/siem/opensearch/dashboards.ndjson": SavedObjects(),
		"deploy/siem/secops/leakveil.conf":         SecOpsParser(),
		"deploy/grafana/pipeline.json":             GrafanaPipeline(),
	}
	for _, s := range []GrafanaSource{GrafanaOpenSearch, GrafanaElasticsearch} {
		out["deploy/grafana/alerts-"+s.Name+".json"] = GrafanaAlerts(s)
	}
	runbooks(out)
	splunk(out)
	sentinel(out)
	return out
}
