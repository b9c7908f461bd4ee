["KIND", "LAST SEEN", "VALUES BY TIME"],
(.aggregations.kind.buckets | sort_by(.last.value) | reverse | .[] | [
  .key, .last.value_as_string, ([.when.buckets[] | "\(.key_as_string) \(.values.value)"] | join(", "))
]) | @tsv
