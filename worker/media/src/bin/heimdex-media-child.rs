//! The media child by itself, for tests and for trying one request by hand. The worker is its own child.

fn main() -> std::process::ExitCode {
    heimdex_media::child::main()
}
