if (.hits.hits | length) == 0 then "no alert has this fingerprint" else
(["KIND", "CLIENT", "FIRST SEEN", "LAST SEEN", "SERVICES", "ALERT"],
(.hits.hits[]._source | [
  .leakveil.kind, (.leakveil.client.id // (.leakveil.client.candidates // ["(not known)"] | join(" or "))), .event.start, .event.end,
  ((.service.name // []) | join(",")), .leakveil.alert.id
]) | @tsv) end
