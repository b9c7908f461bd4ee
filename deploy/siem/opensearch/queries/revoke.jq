.aggregations.kind.buckets[] | .key as $kind | .values.value as $n | .latest.hits.hits[0]._source.leakveil |
"\($kind) (\($n) value\(if $n == 1 then "" else "s" end)): \(.advice.method)\n  \(.advice.text)\n  at: \(.advice.where)\n  ends by itself: \(.expires_at // "not known")\n  value: \((.last_where // .where) | tojson)\n  calls: docs/runbooks/\($kind).md"
