//! What a child gives up before it touches an owner's bytes.
//!
//! Resource limits (setrlimit), capabilities, new privileges, the network, other programs and other processes (seccomp), and,
//! where the kernel has Landlock, every file but its own. Applied while the process still has one thread; threads that are
//! started later inherit all of it.
#![allow(unsafe_code, reason = "limits, capabilities and wait status are bare system calls")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use landlock::{ABI, Access, AccessFs, PathBeneath, PathFd, Ruleset, RulesetAttr, RulesetCreatedAttr};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};

use crate::child::{ChildUsage, Limits};

/// Gives up everything that decoding does not need. `reads` are files, `writes` are folders.
pub(crate) fn enter(limits: &Limits, reads: &[PathBuf], writes: &[PathBuf]) -> Result<(), String> {
    limit(libc::RLIMIT_CORE, 0)?;
    limit(libc::RLIMIT_AS, limits.memory_bytes)?;
    limit(libc::RLIMIT_CPU, limits.cpu_s)?;
    limit(libc::RLIMIT_FSIZE, limits.file_bytes)?;
    limit(libc::RLIMIT_NOFILE, limits.open_files)?;
    // SAFETY: prctl with plain integers; neither option takes a pointer.
    let code =
        unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) | libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0) };
    if code != 0 {
        return Err(format!("prctl: {}", std::io::Error::last_os_error()));
    }
    fence_files(reads, writes)?;
    drop_capabilities()?;
    for filter in [forbidden(), unknown()] {
        let program: BpfProgram = filter.and_then(TryInto::try_into).map_err(|error| format!("seccomp: {error}"))?;
        seccompiler::apply_filter(&program).map_err(|error| format!("seccomp: {error}"))?;
    }
    watch_host();
    Ok(())
}

fn limit(resource: libc::__rlimit_resource_t, value: u64) -> Result<(), String> {
    let mut current = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `current` is a valid rlimit for the call to fill.
    unsafe { libc::getrlimit(resource, &raw mut current) };
    let value = value.min(current.rlim_max);
    // At the soft CPU limit comes SIGXCPU, which names the reason; the hard one is a second later.
    let slack = if resource == libc::RLIMIT_CPU { 1 } else { 0 };
    let wanted = libc::rlimit { rlim_cur: value, rlim_max: value.saturating_add(slack).min(current.rlim_max) };
    // SAFETY: a valid rlimit that the kernel only reads.
    match unsafe { libc::setrlimit(resource, &raw const wanted) } {
        0 => Ok(()),
        _ => Err(format!("setrlimit {resource}: {}", std::io::Error::last_os_error())),
    }
}

/// Root could raise its limits and ignore file modes again; without capabilities it cannot (capabilities(7)).
fn drop_capabilities() -> Result<(), String> {
    #[repr(C)]
    struct Header {
        version: u32,
        pid: i32,
    }
    const VERSION_3: u32 = 0x2008_0522;
    let header = Header { version: VERSION_3, pid: 0 };
    let none = [0_u32; 6];
    // SAFETY: version 3 of capset reads a header of two words and two records of three words each.
    match unsafe { libc::syscall(libc::SYS_capset, &raw const header, none.as_ptr()) } {
        0 => Ok(()),
        _ => Err(format!("capset: {}", std::io::Error::last_os_error())),
    }
}

/// Landlock, best effort: kernels before 5.13 have none, and the other walls stand without it.
fn fence_files(reads: &[PathBuf], writes: &[PathBuf]) -> Result<(), String> {
    let abi = ABI::V3;
    let fail = |error: landlock::RulesetError| format!("landlock: {error}");
    let mut rules = Ruleset::default().handle_access(AccessFs::from_all(abi)).map_err(fail)?.create().map_err(fail)?;
    let all = AccessFs::from_all(abi);
    // Processor counts and features, which libraries ask for when they start threads.
    let system = ["/proc", "/sys/devices/system/cpu", "/sys/fs/cgroup"].map(PathBuf::from);
    for path in reads.iter().chain(&system) {
        // A source that is not there is reported when it is opened.
        let Ok(fd) = PathFd::new(path) else { continue };
        let wanted = if path.is_dir() { AccessFs::from_read(abi) } else { AccessFs::ReadFile.into() };
        rules = rules.add_rule(PathBeneath::new(fd, wanted)).map_err(fail)?;
    }
    for path in writes {
        let Ok(fd) = PathFd::new(path) else { continue };
        rules = rules.add_rule(PathBeneath::new(fd, all)).map_err(fail)?;
    }
    rules.restrict_self().map(drop).map_err(fail)
}

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

fn architecture() -> Result<seccompiler::TargetArch, seccompiler::BackendError> {
    std::env::consts::ARCH.try_into()
}

/// System calls that decoding never needs, refused with EPERM.
fn forbidden() -> Result<SeccompFilter, seccompiler::BackendError> {
    let mut rules: Rules = [
        libc::SYS_socket,
        libc::SYS_socketpair,
        libc::SYS_connect,
        libc::SYS_bind,
        libc::SYS_listen,
        libc::SYS_accept,
        libc::SYS_accept4,
        libc::SYS_sendto,
        libc::SYS_sendmsg,
        libc::SYS_sendmmsg,
        libc::SYS_recvfrom,
        libc::SYS_recvmsg,
        libc::SYS_execve,
        libc::SYS_execveat,
        libc::SYS_ptrace,
        libc::SYS_process_vm_readv,
        libc::SYS_process_vm_writev,
        libc::SYS_kill,
        libc::SYS_pidfd_open,
        libc::SYS_pidfd_send_signal,
        libc::SYS_pidfd_getfd,
        libc::SYS_mount,
        libc::SYS_umount2,
        libc::SYS_pivot_root,
        libc::SYS_chroot,
        libc::SYS_unshare,
        libc::SYS_setns,
        libc::SYS_bpf,
        libc::SYS_perf_event_open,
        libc::SYS_userfaultfd,
        libc::SYS_io_uring_setup,
        libc::SYS_keyctl,
        libc::SYS_add_key,
        libc::SYS_request_key,
        libc::SYS_init_module,
        libc::SYS_finit_module,
        libc::SYS_delete_module,
        libc::SYS_kexec_load,
        libc::SYS_reboot,
        libc::SYS_swapon,
        libc::SYS_swapoff,
        libc::SYS_setuid,
        libc::SYS_setgid,
        libc::SYS_setreuid,
        libc::SYS_setregid,
        libc::SYS_setresuid,
        libc::SYS_setresgid,
        libc::SYS_setgroups,
        libc::SYS_setns,
        libc::SYS_linkat,
        libc::SYS_symlinkat,
        libc::SYS_mknodat,
        libc::SYS_fchmodat,
        libc::SYS_fchownat,
        libc::SYS_setxattr,
        libc::SYS_setpriority,
        libc::SYS_setrlimit,
        libc::SYS_personality,
    ]
    .into_iter()
    .map(|call| (call, Vec::new()))
    .collect();
    #[cfg(target_arch = "x86_64")]
    for call in [
        libc::SYS_fork,
        libc::SYS_vfork,
        libc::SYS_link,
        libc::SYS_symlink,
        libc::SYS_mknod,
        libc::SYS_chmod,
        libc::SYS_chown,
        libc::SYS_lchown,
    ] {
        rules.insert(call, Vec::new());
    }
    // Threads are welcome, processes are not.
    let thread = libc::CLONE_THREAD as u64;
    let no_thread = SeccompCondition::new(0, SeccompCmpArgLen::Qword, SeccompCmpOp::MaskedEq(thread), 0)?;
    rules.insert(libc::SYS_clone, vec![SeccompRule::new(vec![no_thread])?]);
    // Limits may be read (a null new value), not set.
    let sets = SeccompCondition::new(2, SeccompCmpArgLen::Qword, SeccompCmpOp::Ne, 0)?;
    rules.insert(libc::SYS_prlimit64, vec![SeccompRule::new(vec![sets])?]);
    SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Errno(libc::EPERM as u32), architecture()?)
}

/// `clone3` hides its flags behind a pointer that a filter cannot follow; said to be unknown, libc falls back to `clone`.
fn unknown() -> Result<SeccompFilter, seccompiler::BackendError> {
    let rules: Rules = [(libc::SYS_clone3, Vec::new())].into();
    SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Errno(libc::ENOSYS as u32), architecture()?)
}

/// Ends this process when its host is gone.
///
/// `PR_SET_PDEATHSIG` would fire when the host's *thread* ends, and async runtimes end threads at will; the host's end of
/// our stdin closes exactly when the host process is gone.
fn watch_host() {
    std::thread::spawn(|| {
        // Nothing more is ever sent, so any return means that the pipe is closed.
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        std::process::exit(3);
    });
}

/// Blocks until the child `pid` has ended and says what it used, leaving it to be reaped by its owner.
pub(crate) fn usage_of(pid: u32) -> ChildUsage {
    // SAFETY: all-zero is a valid value for both plain C structs, which the kernel fills. The system call, unlike libc's
    // wrapper, takes a fifth argument for the usage (waitid(2)); WNOWAIT leaves the status for whoever owns the child.
    let usage = unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        let mut usage: libc::rusage = std::mem::zeroed();
        loop {
            let code = libc::syscall(
                libc::SYS_waitid,
                libc::P_PID,
                pid,
                &raw mut info,
                libc::WEXITED | libc::WNOWAIT,
                &raw mut usage,
            );
            let interrupted = code != 0 && std::io::Error::last_os_error().raw_os_error() == Some(libc::EINTR);
            if !interrupted {
                break;
            }
        }
        usage
    };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    ChildUsage {
        cpu_s: seconds(usage.ru_utime) + seconds(usage.ru_stime),
        max_rss_bytes: (usage.ru_maxrss.max(0) as u64) * 1024,
        wall_s: 0.0,
    }
}
