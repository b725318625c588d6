//! Processes of the programs under test.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::Context as _;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// Peak resident size of a running process, bytes (`VmHWM` of proc(5)).
pub fn peak_memory_bytes(pid: u32) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kilobytes * 1024)
}

/// A program of the workspace. Cargo puts tests into a folder beside it.
pub fn program(name: &str) -> anyhow::Result<PathBuf> {
    let test = std::env::current_exe()?;
    let program = test.ancestors().nth(2).context("a folder of programs")?.join(name);
    anyhow::ensure!(program.is_file(), "{} is not built: test the whole workspace", program.display());
    Ok(program)
}

/// `program` with a disk of `bytes` in memory in place of `folder`, which only it and its children see. `None` where the machine
/// lets nobody have mounts of their own; whoever asks then leaves something out, and says so.
pub async fn on_a_small_disk(program: &Path, folder: &Path, bytes: u64) -> Option<Command> {
    for rights in [&["--user", "--map-root-user", "--mount"][..], &["--mount"]] {
        let mount = |then: &[&OsStr]| {
            let mut command = Command::new("unshare");
            command.args(rights).args([
                "sh",
                "-c",
                "mount -t tmpfs -o size=\"$0\" none \"$1\" && shift && exec \"$@\"",
            ]);
            command.arg(bytes.to_string()).arg(folder).args(then);
            command
        };
        let tried = mount(&["true".as_ref()]).stderr(Stdio::null()).status().await;
        if tried.is_ok_and(|status| status.success()) {
            return Some(mount(&[program.as_os_str()]));
        }
    }
    eprintln!("left out: this machine allows no mount namespaces");
    None
}

/// A server of ours that chose its port itself.
#[derive(Debug)]
pub struct Server {
    child: Child,
    address: String,
}

impl Server {
    /// Starts it and reads from its log where it listens. It is killed when this is dropped.
    pub async fn start(mut command: Command, variables: &[(&str, &str)]) -> anyhow::Result<Self> {
        let mut child = command
            .envs(variables.iter().copied())
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut lines = BufReader::new(child.stderr.take().context("its stderr")?).lines();
        let mut said = Vec::new();
        let address = loop {
            let line = lines.next_line().await?.with_context(|| format!("it ended: {said:#?}"))?;
            let address = line.split_once("address=").and_then(|(_, rest)| rest.split_whitespace().next());
            if let Some(address) = address {
                break address.to_owned();
            }
            said.push(line);
        };
        // A full pipe would hold it up.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self { child, address })
    }

    /// `host:port`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// See [`peak_memory_bytes`].
    pub fn peak_memory_bytes(&self) -> anyhow::Result<u64> {
        peak_memory_bytes(self.child.id().context("it has ended")?)
    }
}
