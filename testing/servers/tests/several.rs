//! Servers of several processes: found together, and found together again after a failover.

mod installed;

use std::time::{Duration, Instant};

use tenure_test_servers::{Certificates, Node, Options, Reply, Server, redis_command};

use installed::installed;

fn is_master(node: &Node) -> bool {
    let role = redis_command(node.port(), &["ROLE"]);
    role.is_ok_and(|role| matches!(role, Reply::List(words) if words[0].text() == "master"))
}

/// Kills the first master and waits until another node takes over.
fn fail_over(server: &Server) -> Duration {
    let masters = |nodes: &[Node]| nodes.iter().filter(|node| is_master(node)).count();
    let data = if server.nodes().len() == 5 { &server.nodes()[..2] } else { server.nodes() };
    let before = masters(data);
    let master = data.iter().find(|node| is_master(node)).expect("a master");
    master.kill().expect("killed");
    let began = Instant::now();
    while masters(data) < before {
        assert!(began.elapsed() < Duration::from_secs(20), "nobody took over");
        std::thread::sleep(Duration::from_millis(50));
    }
    began.elapsed()
}

#[test]
fn a_cluster_of_redis_fails_over_and_settles_again() {
    let Some(server) = installed(Server::redis_cluster(&Options::new())) else { return };
    assert_eq!(server.nodes().len(), 6);
    assert_eq!(server.nodes().iter().filter(|node| is_master(node)).count(), 3);
    fail_over(&server);
    server.start().expect("the old master joins again, as a replica");
    assert!(!is_master(&server.nodes()[0]));
}

#[test]
fn sentinels_fail_over_and_settle_again() {
    let Some(server) = installed(Server::redis_sentinel(&Options::new())) else { return };
    assert!(is_master(&server.nodes()[0]));
    fail_over(&server);
    server.start().expect("the old master joins again, as a replica");
    // On a busy machine they may have changed places again.
    assert_ne!(is_master(&server.nodes()[0]), is_master(&server.nodes()[1]));
}

#[test]
fn what_is_replicated_survives_the_master() {
    let Some(server) = installed(Server::redis_sentinel(&Options::new())) else { return };
    let [master, replica] = [0, 1].map(|node: usize| server.nodes()[node].port());
    // The replica is frozen, so that only waiting for it can help.
    server.nodes()[1].pause().expect("frozen");
    redis_command(master, &["SET", "name", "Ada"]).expect("written");
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| server.replicated());
        std::thread::sleep(Duration::from_millis(200));
        assert!(!waiting.is_finished(), "a frozen replica has nothing");
        server.nodes()[1].resume().expect("awake");
        waiting.join().expect("no panic").expect("replicated");
    });
    server.nodes()[0].kill().expect("killed");
    assert_eq!(redis_command(replica, &["GET", "name"]).expect("an answer").text(), "Ada");
}

/// openssl tells whether the certificate is by the authority, and the name the right one.
fn verifies(arguments: &[&str], authority: &Certificates) -> bool {
    let output = std::process::Command::new("openssl")
        .args(["s_client", "-verify_return_error", "-verify_ip", "127.0.0.1", "-CAfile"])
        .arg(authority.ca_file())
        .args(arguments)
        .stdin(std::process::Stdio::null())
        .output()
        .expect("openssl");
    let printed = String::from_utf8_lossy(&output.stdout);
    printed.contains("Verify return code: 0 (ok)")
}

#[test]
fn tls_is_by_the_right_authority_alone() {
    let (right, wrong) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let right = Certificates::generate(right.path()).expect("certificates");
    let wrong = Certificates::generate(wrong.path()).expect("certificates");
    let options = Options::new().volatile().tls(&right);
    let check = |address: &str, protocol: &[&str]| {
        let arguments = [&["-connect", address], protocol].concat();
        assert!(verifies(&arguments, &right), "{arguments:?}");
        assert!(!verifies(&arguments, &wrong), "{arguments:?}");
    };
    let address = |server: &Server| format!("127.0.0.1:{}", server.nodes()[0].port());
    if let Some(redis) = installed(Server::redis(&options)) {
        let url = redis.tls_url().expect("a second port");
        check(url.trim_start_matches("rediss://"), &[]);
    }
    if let Some(postgres) = installed(Server::postgres(&options)) {
        check(&address(&postgres), &["-starttls", "postgres"]);
        let port = postgres.nodes()[0].port();
        if let Some(bouncer) = installed(Server::pgbouncer(port, &options)) {
            check(&address(&bouncer), &["-starttls", "postgres"]);
        }
    }
    if let Some(mariadb) = installed(Server::mariadb(&options)) {
        check(&address(&mariadb), &["-starttls", "mysql"]);
    }
    if let Some(mongodb) = installed(Server::mongodb(&options)) {
        check(&address(&mongodb), &[]);
    }
}
