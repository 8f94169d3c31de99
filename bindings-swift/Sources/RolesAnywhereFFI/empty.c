// SwiftPM wants a source in every C target; the functions are the static library's.
