package otlp

// place says which text of a unit it is. Its name is the field of detections, with
// the attribute's name behind it.
type place uint8

const (
	body place = iota
	severityText
	eventName
	attribute
	attributeName
	resourceAttribute
	resourceAttributeName
	scopeAttribute
	scopeAttributeName
	scopeName
	scopeVersion
	schemaURL
	entityRef
	spanName
	statusMessage
	traceState
	spanEventName
	spanEventAttribute
	spanEventAttributeName
	linkAttribute
	linkAttributeName
	linkTraceState
	metricName
	metricDescription
	metricUnit
	metricMetadata
	metricMetadataName
	exemplarAttribute
	exemplarAttributeName
	documentValue
	documentName
)

var placeNames = [...]string{
	body: "body", severityText: "severity_text", eventName: "event_name",
	attribute: "attributes", attributeName: "attribute_name",
	resourceAttribute: "resource.attributes", resourceAttributeName: "resource.attribute_name",
	scopeAttribute: "scope.attributes", scopeAttributeName: "scope.attribute_name",
	scopeName: "scope.name", scopeVersion: "scope.version", schemaURL: "schema_url", entityRef: "entity_ref",
	spanName: "name", statusMessage: "status.message", traceState: "trace_state",
	spanEventName: "event.name", spanEventAttribute: "event.attributes", spanEventAttributeName: "event.attribute_name",
	linkAttribute: "link.attributes", linkAttributeName: "link.attribute_name", linkTraceState: "link.trace_state",
	metricName: "metric.name", metricDescription: "metric.description", metricUnit: "metric.unit",
	metricMetadata: "metric.metadata", metricMetadataName: "metric.metadata_name",
	exemplarAttribute: "exemplar.attributes", exemplarAttributeName: "exemplar.attribute_name",
	documentValue: "value", documentName: "member_name",
}

// where is the place being visited.
type where struct {
	place     place
	attribute string // the outermost attribute's name, "" when that is not told
}

// maxTold bounds the name of an attribute in a detection.
const maxTold = 128

// field is the place as detections tell it. The names of attributes are anyone's text:
// only what looks like a name is told.
func (w where) field() string {
	name := placeNames[w.place]
	if w.attribute == "" || len(w.attribute) > maxTold || !nameLike(w.attribute) {
		return name
	}
	return name + "." + w.attribute
}
