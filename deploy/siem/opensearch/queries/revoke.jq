.aggregations.kind.buckets[] | .key as $kind | .values.value as $n | .latest.hits.hits[0]._source.leakveil |
"\($kind) (\($n) values): \(.advice.method)\n  \(.advice.text)\n  at: \(.advice.where)\n  ends by itself: \(.expires_at // "not known")\n  value: \((.last_where // .where) | tojson)\n  calls: docs/runbooks/\($kind).md"
