["SERVICE", "KIND", "VALUES", "ONE OF"],
(.aggregations.service.buckets[] | .key as $service | .kind.buckets[] | [
  $service, .key, .values.value, ([.candidates.buckets[].key] | join(",") | if . == "" then "-" else . end)
]) | @tsv
