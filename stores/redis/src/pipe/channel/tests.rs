use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};

use super::super::request::Part;
use super::*;

const SOON: Duration = Duration::from_secs(5);

/// A channel, the server's end of it, and how often it has ended.
async fn channel() -> (Channel, TcpStream, Arc<AtomicU32>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (server, _) = listener.accept().await.unwrap();
    let ends = Arc::<AtomicU32>::default();
    let counted = Arc::clone(&ends);
    let ended = Arc::new(move || _ = counted.fetch_add(1, Ordering::Relaxed));
    (Channel::new(stream, ended), server, ends)
}

type Answered = oneshot::Receiver<RedisResult<Reply>>;

fn ask(
    channel: &Channel,
    text: &str,
    sharing: Sharing<'_>,
    limit: Duration,
) -> RedisResult<Answered> {
    let write = |octets: &mut Vec<u8>| octets.extend_from_slice(text.as_bytes());
    channel.post(write, sharing, Instant::now() + limit)
}

fn command(channel: &Channel, text: &str) -> Answered {
    ask(channel, text, Sharing::Nothing, SOON).unwrap()
}

/// A command of ten arguments, one of which is its own.
fn joining(channel: &Channel, common: &str, own: &str) -> Answered {
    let part = Part { common: common.as_bytes(), own: own.as_bytes(), own_number: 1, number: 10 };
    ask(channel, &format!("*10\r\nname {common}{own}"), Sharing::Command(part), SOON).unwrap()
}

async fn reply(answered: Answered) -> RedisResult<Reply> {
    timeout(SOON, answered).await.unwrap().unwrap()
}

async fn value(answered: Answered) -> RedisResult<Value> {
    reply(answered).await?.extract_error()?.into_value()
}

async fn number(answered: Answered) -> i64 {
    match value(answered).await {
        Ok(Value::Int(number)) => number,
        other => panic!("{other:?}"),
    }
}

async fn receive(server: &mut TcpStream, text: &str) {
    let mut octets = vec![0; text.len()];
    timeout(SOON, server.read_exact(&mut octets)).await.unwrap().unwrap();
    assert_eq!(str::from_utf8(&octets).unwrap(), text);
}

#[tokio::test]
async fn each_gets_the_answer_to_its_own_command() {
    let (channel, mut server, _) = channel().await;
    let [one, gone, three] = ["one ", "gone ", "three "].map(|text| command(&channel, text));
    drop(gone);
    receive(&mut server, "one gone three ").await;
    // In pieces, and with a message in between that nobody has asked for.
    for piece in [":1\r", "\n>2\r\n+invalidate\r\n_\r\n:2\r\n:", "3\r\n"] {
        server.write_all(piece.as_bytes()).await.unwrap();
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!((number(one).await, number(three).await), (1, 3));
}

#[tokio::test]
async fn what_is_long_arrives_whole_both_ways() {
    let (channel, mut server, _) = channel().await;
    let text = "0123456789abcdef".repeat(100_000);
    let (first, second) = (command(&channel, &text), command(&channel, "short"));
    // It answers before it has read all, and nobody waits for the other for ever.
    let (mut reading, mut writing) = server.split();
    let answer = format!("${}\r\n{text}\r\n:2\r\n", text.len());
    let expected = text.clone() + "short";
    let mut octets = vec![0; expected.len()];
    let (read, written) =
        tokio::join!(reading.read_exact(&mut octets), writing.write_all(answer.as_bytes()));
    read.unwrap();
    written.unwrap();
    assert!(octets == expected.as_bytes());
    assert!(value(first).await.unwrap() == Value::BulkString(text.into_bytes()));
    assert_eq!(number(second).await, 2);
}

#[tokio::test]
async fn reads_that_are_not_written_yet_share_an_answer() {
    let (channel, mut server, _) = channel().await;
    let read = |text| ask(&channel, text, Sharing::Answer, SOON).unwrap();
    let (one, write) = (read("read A "), command(&channel, "write A "));
    let (gone, same, other) = (read("read A "), read("read A "), read("read B "));
    // What may be shared is said by whoever asks.
    let again = command(&channel, "write A ");
    drop(gone);
    receive(&mut server, "read A write A read B write A ").await;
    let later = read("read A ");
    receive(&mut server, "read A ").await;
    server.write_all(b":1\r\n:2\r\n:3\r\n:4\r\n:5\r\n").await.unwrap();
    assert_eq!((number(one).await, number(same).await), (1, 1));
    assert_eq!((number(write).await, number(other).await, number(again).await), (2, 3, 4));
    assert_eq!(number(later).await, 5, "it was asked after the first was written");
}

#[tokio::test]
async fn a_session_that_several_have_read_is_taken_apart_once() {
    let (channel, mut server, _) = channel().await;
    let read = || ask(&channel, "read ", Sharing::Answer, SOON).unwrap();
    let times = [&[1][..], &7_u64.to_be_bytes().repeat(7)].concat();
    let session = [b"\x92\xA1t\xD9\x39", &times[..]].concat();
    let answer = [b"$62\r\n", &session[..], b"\r\n"].concat();

    let [one, gone, other] = [read(), read(), read()];
    drop(gone);
    receive(&mut server, "read ").await;
    server.write_all(&answer).await.unwrap();
    let [Ok(Reply::Session(one)), Ok(Reply::Session(other))] =
        [reply(one).await, reply(other).await]
    else {
        panic!("it was not taken apart")
    };
    assert!(Arc::ptr_eq(&one, &other));
    assert_eq!(one.created.as_millis(), 7);

    let alone = read();
    receive(&mut server, "read ").await;
    server.write_all(&answer).await.unwrap();
    assert_eq!(value(alone).await.unwrap(), Value::BulkString(session));
}

#[tokio::test]
async fn whoever_shares_is_answered_though_the_first_went_away() {
    let (channel, mut server, _) = channel().await;
    let read = || ask(&channel, "read ", Sharing::Answer, SOON).unwrap();
    let (first, second) = (read(), read());
    drop(first);
    receive(&mut server, "read ").await;
    server.write_all(b":1\r\n").await.unwrap();
    assert_eq!(number(second).await, 1);
}

#[tokio::test]
async fn commands_that_begin_alike_are_one() {
    let (channel, mut server, _) = channel().await;
    let [one, gone, three] = ["1 ", "2 ", "3 "].map(|own| joining(&channel, "a ", own));
    let other = joining(&channel, "b ", "4 ");
    // Only the last command can be longer.
    let again = joining(&channel, "a ", "5 ");
    let read = ask(&channel, "read ", Sharing::Answer, SOON).unwrap();
    let after = joining(&channel, "a ", "6 ");
    drop(gone);
    let text = "*14\r\nname a 1 $0\r\n\r\n2 $0\r\n\r\n3 *10\r\nname b 4 \
                *10\r\nname a 5 read *10\r\nname a 6 ";
    receive(&mut server, text).await;
    let later = joining(&channel, "a ", "7 ");
    receive(&mut server, "*10\r\nname a 7 ").await;
    server.write_all(b"*3\r\n:1\r\n:2\r\n:3\r\n:4\r\n:5\r\n:6\r\n:7\r\n:8\r\n").await.unwrap();
    assert_eq!((number(one).await, number(three).await), (1, 3));
    assert_eq!((number(other).await, number(again).await, number(read).await), (4, 5, 6));
    assert_eq!((number(after).await, number(later).await), (7, 8));
}

#[tokio::test]
async fn who_shares_a_command_gets_the_answer_to_all_or_none() {
    let (channel, mut server, _) = channel().await;
    let two = || ["1 ", "2 "].map(|own| joining(&channel, "a ", own));
    let text = "*12\r\nname a 1 $0\r\n\r\n2 ";

    let [one, other] = two();
    receive(&mut server, text).await;
    server.write_all(b":7\r\n").await.unwrap();
    assert_eq!((number(one).await, number(other).await), (7, 7));

    // A list that ends before it has said all.
    let [one, other] = two();
    receive(&mut server, text).await;
    server.write_all(b"*1\r\n*1\r\n:3\r\n").await.unwrap();
    assert_eq!(value(one).await.unwrap(), Value::Array(vec![Value::Int(3)]));
    assert_eq!(value(other).await.unwrap(), Value::Nil);

    let [one, other] = two();
    receive(&mut server, text).await;
    server.write_all(b"-OOM no room\r\n").await.unwrap();
    for error in [one, other] {
        assert!(value(error).await.unwrap_err().to_string().contains("no room"));
    }

    // A list is what one alone has asked for.
    let alone = joining(&channel, "a ", "1 ");
    receive(&mut server, "*10\r\nname a 1 ").await;
    server.write_all(b"*2\r\n:1\r\n:2\r\n").await.unwrap();
    assert!(matches!(value(alone).await.unwrap(), Value::Array(list) if list.len() == 2));
}

#[tokio::test]
async fn a_command_that_is_shared_has_less_than_a_hundred_arguments() {
    let (channel, mut server, _) = channel().await;
    let asked: Vec<_> = (0..46).map(|_| joining(&channel, "a ", "1 ")).collect();
    let of = |number: usize| {
        format!("*{number}\r\nname a 1 ") + &"$0\r\n\r\n1 ".repeat((number - 10) / 2)
    };
    receive(&mut server, &(of(98) + &of(10))).await;
    server.write_all(b":1\r\n:2\r\n").await.unwrap();
    let mut answers = Vec::new();
    for answered in asked {
        answers.push(number(answered).await);
    }
    assert_eq!(answers, [vec![1; 45], vec![2]].concat());
    // Nor does it grow from fewer than ten.
    for number in [9, 100] {
        let text = format!("*{number}\r\n");
        let part = || Sharing::Command(Part { common: b"", own: b"", own_number: 1, number });
        let both = [part(), part()].map(|part| ask(&channel, &text, part, SOON).unwrap());
        receive(&mut server, &text.repeat(2)).await;
        drop(both);
    }
}

#[tokio::test]
async fn silence_ends_it_when_the_oldest_command_has_waited_too_long() {
    let (channel, mut server, ends) = channel().await;
    let limit = Duration::from_millis(200);
    let asked = |text| ask(&channel, text, Sharing::Nothing, limit).unwrap();
    let before = asked("before ");
    receive(&mut server, "before ").await;
    server.write_all(b":1\r\n").await.unwrap();
    assert_eq!(number(before).await, 1);
    sleep(limit / 2).await;

    let began = Instant::now();
    let oldest = asked("oldest ");
    sleep(limit / 2).await;
    let youngest = asked("youngest ");
    let error = timeout(SOON, oldest).await.unwrap().unwrap().unwrap_err();
    assert!(error.is_timeout(), "{error}");
    let waited = began.elapsed();
    assert!(limit <= waited && waited < SOON, "{waited:?}");
    assert!(timeout(SOON, youngest).await.unwrap().is_err(), "with the connection");
    // The server sees it, too.
    receive(&mut server, "oldest youngest ").await;
    assert_eq!(timeout(SOON, server.read(&mut [0; 8])).await.unwrap().unwrap(), 0);
    assert_eq!(ends.load(Ordering::Relaxed), 1);
    assert!(ask(&channel, "late", Sharing::Nothing, limit).unwrap_err().is_unrecoverable_error());
}

#[tokio::test]
async fn a_longer_limit_before_delays_none() {
    let (channel, mut server, _) = channel().await;
    let patient = ask(&channel, "patient ", Sharing::Nothing, 1_000 * SOON).unwrap();
    receive(&mut server, "patient ").await;
    sleep(Duration::from_millis(20)).await;
    server.write_all(b":1\r\n").await.unwrap();
    assert_eq!(number(patient).await, 1);
    let asked = ask(&channel, "one ", Sharing::Nothing, Duration::from_millis(100)).unwrap();
    let error = timeout(SOON, asked).await.unwrap().unwrap().unwrap_err();
    assert!(error.is_timeout(), "{error}");
}

#[tokio::test]
async fn a_server_that_goes_away_fails_all_at_once() {
    let (channel, mut server, ends) = channel().await;
    let asked = ["one ", "two "].map(|text| command(&channel, text));
    receive(&mut server, "one two ").await;
    drop(server);
    let [one, two] = asked;
    let error = timeout(SOON, one).await.unwrap().unwrap().unwrap_err();
    assert!(error.is_unrecoverable_error() && !error.is_timeout(), "{error}");
    assert!(timeout(SOON, two).await.unwrap().is_err());
    let after = channel.send(|_| (), Sharing::Nothing, Instant::now() + SOON).await.unwrap_err();
    assert!(after.is_unrecoverable_error() && after.to_string().contains("has ended"), "{after}");
    assert_eq!(ends.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn what_is_no_answer_ends_it() {
    let (channel, mut server, _) = channel().await;
    let asked = command(&channel, "one ");
    server.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    let error = timeout(SOON, asked).await.unwrap().unwrap().unwrap_err();
    assert!(error.is_unrecoverable_error(), "{error:?}");
}

#[tokio::test]
async fn an_answer_that_nobody_has_asked_for_ends_it() {
    let (channel, mut server, ends) = channel().await;
    let one = command(&channel, "one ");
    receive(&mut server, "one ").await;
    server.write_all(b":1\r\n:2\r\n").await.unwrap();
    assert_eq!(number(one).await, 1);
    assert_eq!(timeout(SOON, server.read(&mut [0; 8])).await.unwrap().unwrap(), 0);
    assert!(ask(&channel, "late", Sharing::Nothing, SOON).is_err());
    assert_eq!(ends.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn it_ends_with_the_runtime_that_serves_it() {
    let (sender, receiver) = oneshot::channel();
    let (end, ended) = std::sync::mpsc::channel::<()>();
    let serving = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (channel, server, _) = channel().await;
            let asked = command(&channel, "one ");
            sender.send((channel, server, asked)).ok().unwrap();
            tokio::task::spawn_blocking(move || ended.recv()).await.unwrap().unwrap();
        });
    });
    let (channel, _server, asked) = receiver.await.unwrap();
    end.send(()).unwrap();
    tokio::task::spawn_blocking(|| serving.join().unwrap()).await.unwrap();
    assert!(timeout(SOON, asked).await.unwrap().is_err());
    assert!(ask(&channel, "late", Sharing::Nothing, SOON).unwrap_err().is_unrecoverable_error());
}

#[tokio::test]
async fn without_clones_it_is_closed() {
    let (channel, mut server, ends) = channel().await;
    let clone = channel.clone();
    drop(channel);
    drop(command(&clone, "one "));
    receive(&mut server, "one ").await;
    drop(clone);
    assert_eq!(timeout(SOON, server.read(&mut [0; 8])).await.unwrap().unwrap(), 0);
    assert_eq!(ends.load(Ordering::Relaxed), 0, "not by itself");
}
