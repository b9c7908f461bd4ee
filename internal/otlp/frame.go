package otlp

import (
	"strings"

	"github.com/leakveil/leakveil/detect"
)

// Structure is context. What follows says which name a value stands behind, so that
// one grammar serves texts and structures.

// frame says what a value stands behind.
type frame struct {
	detect.Frame
	// cookie is the name of the cookie that the value is of, in a map or list of
	// cookies: short names say there what they do not say elsewhere. The value is then
	// gathered as name=value behind the word cookie.
	cookie string
}

// member is the frame of the value behind a name in a structure behind outer.
func (outer frame) member(name string) frame {
	if outer.cookie == "" && len(name) <= maxName && isJar(outer.Name) && nameLike(name) {
		return frame{Frame: detect.Frame{Name: outer.Name}, cookie: name}
	}
	return named(framed(name, outer.Name))
}

// second is the frame of the second half of a pair with this name in such a structure.
func (outer frame) second(name string) frame {
	f := outer.member(name)
	if f.cookie == "" && outer.Name != "" && f.Name != outer.Name && len(outer.Name)+len(f.Name) < maxFrame {
		f.Name = outer.Name + "=" + f.Name // client_secret: {name: prod, value: V}
	}
	return f
}

// named is the frame behind a name. Of a long one the last parts frame: the name is written
// once more for each text behind it, and its end is what says what it is.
func named(name string) frame {
	if over := len(name) - maxFrame; over > 0 {
		dot := strings.IndexByte(name[over:], '.')
		if dot < 0 {
			return frameless
		}
		name = name[over+dot+1:]
	}
	return frame{Frame: detect.Frame{Name: name}}
}

// maxFrame bounds the names before a text, leastFramed the texts that stand behind none:
// no secret is so short, and a list of them would be written many times over.
const (
	maxFrame    = 128
	leastFramed = 4
)

// isJar reports whether a name is that of cookies.
func isJar(name string) bool {
	const word = "ookie"
	i := strings.Index(name, word)
	return i > 0 && name[i-1]|0x20 == 'c' || strings.Contains(name, "COOKIE")
}

// maxName bounds a string that counts as a name.
const maxName = 64

// nameLike reports whether s could be the name of a field or header.
func nameLike(s string) bool {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c|0x20 >= 'a' && c|0x20 <= 'z', c >= '0' && c <= '9', c == '_', c == '-', c == '.', c == ':', c == '/':
		default:
			return false
		}
	}
	return s != ""
}

// plain reports whether an attribute's name frames its value just as it is: it ends in
// a letter, with no part that only says that a value follows, and is no identifier's.
func plain(name string) bool {
	if len(name) < 2 {
		return name != "" && isLetter(name[0])
	}
	last := name[len(name)-1]
	switch last {
	case 'd': // .id, _id, .uid; .payload
		return name[len(name)-2] != 'i' && !strings.HasSuffix(name, "ayload")
	case 'e', 'l', 's', 'g', 't', 'a', 'v', 'w':
		dot := strings.LastIndexByte(name, '.') // value alone may be the second half of a pair
		if last := name[dot+1:]; detect.ValueName(last) || isSecond(last) || dot > 0 && isLast(last) && name != "user_agent.original" {
			return false
		}
		return name != "faas.instance" && name != "oci.manifest.digest"
	case 'h', 'o', 'u': // process.executable.build_id.gnu
		return name != "user.hash" && !strings.HasPrefix(name, "process.executable.build_id")
	case 'n': // vcs.ref.head.revision
		return !strings.HasSuffix(name, "revision")
	}
	return isLetter(last)
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// framed returns the name that the value of an attribute or member stands behind:
// without indices, without quotes around it and without a last part that only says
// that a value follows. outer is what the structure around it stands behind.
func framed(name, outer string) string {
	if identifiers[name] {
		return ""
	}
	for name != "" {
		last := name[len(name)-1]
		switch {
		case last >= '0' && last <= '9':
			rest := strings.TrimRight(name, "0123456789")
			if rest == "" {
				return outer
			}
			if end := rest[len(rest)-1]; end != '.' && end != '[' {
				return name
			}
			name = rest[:len(rest)-1]
		case isLetter(last):
			dot := strings.LastIndexByte(name, '.')
			if !detect.ValueName(name[dot+1:]) && (dot <= 0 || !isLast(name[dot+1:])) {
				return name
			}
			if dot < 0 {
				if outer == "" {
					return name
				}
				return outer
			}
			if name = name[:dot]; identifiers[name] {
				return ""
			}
		default: // quotes and brackets around it
			name = name[:len(name)-1]
		}
	}
	return outer
}

// identifiers are attributes whose values are identifiers by OpenTelemetry's semantic
// conventions, and no secrets: behind these names only what is a secret by itself is
// found (https://opentelemetry.io/docs/specs/semconv/registry/attributes/).
var identifiers = map[string]bool{
	"trace_id": true, "span_id": true, "parent_id": true, "traceid": true, "spanid": true, "trace.id": true, "span.id": true,
	"session.id": true, "session.previous_id": true, "user.id": true, "enduser.id": true, "enduser.pseudo.id": true, "user.hash": true,
	"service.instance.id": true, "host.id": true, "host.image.id": true, "container.id": true, "container.image.id": true,
	"device.id": true, "app.installation.id": true, "cloud.account.id": true, "cloud.resource_id": true,
	"faas.instance": true, "faas.invocation_id": true, "process.executable.build_id.gnu": true, "process.executable.build_id.go": true,
	"messaging.message.id": true, "messaging.message.conversation_id": true, "messaging.client.id": true,
	"log.record.uid": true, "gen_ai.conversation.id": true, "gen_ai.response.id": true, "gen_ai.agent.id": true, "gen_ai.tool.call.id": true,
	"k8s.cluster.uid": true, "k8s.pod.uid": true, "k8s.node.uid": true, "k8s.namespace.uid": true, "k8s.deployment.uid": true,
	"k8s.replicaset.uid": true, "k8s.statefulset.uid": true, "k8s.daemonset.uid": true, "k8s.job.uid": true, "k8s.cronjob.uid": true,
	"aws.request_id": true, "aws.extended_request_id": true, "aws.ecs.task.id": true, "az.service_request_id": true,
	"cicd.pipeline.run.id": true, "cicd.pipeline.task.run.id": true, "vcs.ref.head.revision": true, "vcs.ref.base.revision": true,
	"oci.manifest.digest": true,
}

// nameKeys are what the first half of a pair is called.
var nameKeys = [...]string{"name", "key", "k", "header", "param", "parameter", "field", "attribute", "Name", "Key"}

// otherNameKeys say less: what stands behind them is a name when it is put together as
// names are (pairName).
var otherNameKeys = [...]string{
	"id", "type", "property", "label", "n", "variable", "setting", "NAME", "KEY", "Id", "Type", "Property", "Label",
	"header_name", "headerName", "parameter_name", "parameterName", "field_name", "fieldName", "attribute_name", "attributeName",
}

// pairName reports whether s is put together as the names of secrets are: access_token,
// clientSecret, x-api-key; string, openid and 7 are not.
func pairName(s string) bool {
	if len(s) > maxName || !nameLike(s) {
		return false
	}
	for i := 1; i < len(s)-1; i++ {
		switch c := s[i]; {
		case (c == '_' || c == '-' || c == '.') && isLetter(s[i-1]) && isLetter(s[i+1]):
			return true
		case c >= 'A' && c <= 'Z' && s[i-1] >= 'a' && s[i-1] <= 'z':
			return true
		}
	}
	return strings.EqualFold(s, "authorization")
}
