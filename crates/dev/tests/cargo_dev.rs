//! `cargo dev` and `cargo dev tour` as a newcomer types them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

fn dev(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dev"));
    command.args(arguments);
    for variable in ["DATABASE_URL", "REDIS_URL", "NATS_URL", "PUBLIC_URL"] {
        command.env_remove(variable);
    }
    command
}

fn assert_toured(output: &Output) {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    assert!(out.contains("checks held"), "{out}");
}

#[test]
fn the_tour_holds_with_everything() {
    assert_toured(&dev(&["tour"]).output().unwrap());
}

#[test]
fn the_tour_holds_with_postgres_alone() {
    assert_toured(&dev(&["tour", "--only-postgres"]).output().unwrap());
}

#[test]
fn a_port_that_is_taken_is_told_in_one_sentence() {
    let taken = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = dev(&["--port", &port]).output().unwrap();
    assert!(!output.status.success());
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        told,
        format!("error: port {port} is taken by another program: choose another one with --port\n")
    );
}

#[test]
fn what_it_prints_works_as_pasted_and_ctrl_c_is_a_success() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let mut child = dev(&["--port", &port]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let pasted: Vec<String> = lines.by_ref().filter(|line| line.starts_with("  curl ")).take(3).collect();
    // A thread must continue to read, or the programs would wait for room to write.
    let reader = std::thread::spawn(move || lines.for_each(drop));
    for line in &pasted {
        let answer = Command::new("sh").args(["-c", &line.replace("curl -s", "curl -sf")]).output().unwrap();
        assert!(answer.status.success(), "{line}");
        serde_json::from_slice::<serde_json::Value>(&answer.stdout).unwrap();
    }
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).unwrap();
    assert!(reap(child).success());
    reader.join().unwrap();
}

fn reap(mut child: Child) -> std::process::ExitStatus {
    let deadline = Instant::now() + Duration::from_secs(40);
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        assert!(Instant::now() < deadline, "cargo dev does not end");
        std::thread::sleep(Duration::from_millis(20));
    }
}
