// Package measure is what the programs that measure have in common: corpora in
// files, the proof that an answer on them is right, commands with the CPU time that
// they took, the raw engine, and the machine's description. It must never print a
// byte of a corpus.
package measure
