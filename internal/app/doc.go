// Package app wires leakveil run together and owns its lifecycle: it builds the
// source, the pipeline's workers, the deliverer and the alerts' fold from the
// configuration, starts them, and stops them in order. It must hold no logic of
// its own about secrets, and never log a byte of a record.
package app
