// ONNX Runtime in Node reports its use to its maker unless it is told not to before it starts: it writes an id into the home folder, asks
// for an event server, and dies of a long command line, which it reads for that. Imported before anything that loads it.

// The library reads the process's own environment, which an assignment in the main thread changes. It looks once, at its first session.
process.env["ORT_DISABLE_TELEMETRY"] = "1";
