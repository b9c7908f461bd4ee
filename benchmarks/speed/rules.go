package main

// moreRule is a rule of one vendor's prefix: number and prefix are filled in.
const moreRule = `  - id: many-%[1]d
    kind: api_key
    severity: high
    description: A vendor's token.
    prefixes: ["%[2]s"]
    value: {alphabet: base64url, min: 24, max: 256}
    references: ["made for a benchmark"]
    examples:
      - {text: 'using {{.Value}} now', value: '%[2]s{{alnum 32}}'}
    negatives:
      - {text: 'the prefix is %[2]s'}
`
