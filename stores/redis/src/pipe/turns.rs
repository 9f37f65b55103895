//! When a task has its turn.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

/// Polls a task each time only when those had their turn that were ready with it. The runtime
/// would poll it right after the first that gave it work, and each command be a write of its own.
pub(super) async fn after_the_others<T>(task: impl Future<Output = T>) -> T {
    let mut task = pin!(task);
    let mut waited = false;
    poll_fn(|context| {
        waited = !waited;
        if waited {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        task.as_mut().poll(context)
    })
    .await
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;
    use tokio::task::JoinSet;

    use super::*;

    /// How many messages of 32 tasks that are ready at once are received at a time.
    async fn received(patient: bool) -> Vec<usize> {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        let (done, mut all) = mpsc::unbounded_channel();
        let receiving = async move {
            let mut messages = Vec::new();
            while receiver.recv_many(&mut messages, 32).await > 0 {
                let _ = done.send(messages.len());
                messages.clear();
            }
        };
        let mut tasks = JoinSet::new();
        if patient {
            tasks.spawn(after_the_others(receiving));
        } else {
            tasks.spawn(receiving);
        }
        // It waits for messages by now.
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        tokio::spawn(async move {
            for _ in 0..32 {
                let sender = sender.clone();
                tokio::spawn(async move { sender.send(()) });
            }
        });
        let mut numbers = Vec::new();
        while let Some(number) = all.recv().await {
            numbers.push(number);
        }
        numbers
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn a_task_that_waits_for_the_others_finds_all_their_work() {
        // On the worker itself, where tasks that it wakes come first.
        let [patient, eager] =
            [true, false].map(|patient| async move { tokio::spawn(received(patient)).await });
        let (patient, eager) = (patient.await.unwrap(), eager.await.unwrap());
        assert_eq!(patient.iter().sum::<usize>(), 32);
        assert_eq!(eager.iter().sum::<usize>(), 32);
        assert!(patient.len() <= 2, "{patient:?}");
        assert!(eager.len() > patient.len(), "it would not have to wait: {eager:?}");
    }
}
