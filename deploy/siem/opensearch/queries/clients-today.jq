["CLIENT", "KIND", "VALUES", "FIRST SEEN", "LAST SEEN", "TO DO", "SERVICES"],
(.aggregations.client.buckets | sort_by(.key == "(not known)") | .[] | .key as $client | .kind.buckets[] | [
  $client, .key, .values.value, .first.value_as_string, .last.value_as_string,
  (.advice.buckets[0].key // "-"), ([.service.buckets[].key] | join(","))
]) | @tsv
