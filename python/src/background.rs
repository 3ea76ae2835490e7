//! Long computations: on a thread of their own, without the GIL, while the calling thread listens for Ctrl-C and hands progress on.
//!
//! A computation owns what it works on, so it can be left behind when the user interrupts: it ends at its next look at [`Watch`]. A panic
//! becomes an exception with its message.

use crate::failure::Failure;
use pyo3::prelude::*;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

/// How often signals are looked for and progress is told.
const PERIOD: Duration = Duration::from_millis(50);
/// Deep recursion of linear algebra fits.
const STACK: usize = 16 << 20;

thread_local! {
    static PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Keeps the message of a panic for the exception instead of printing it.
pub(crate) fn keep_panics() {
    std::panic::set_hook(Box::new(|panic| PANIC.with(|kept| *kept.borrow_mut() = panic.to_string())));
}

/// Where a computation has arrived: what it does, a number of steps, and a size (loss, residual) where there is one.
pub(crate) type Progress = (String, u64, Option<f64>);

enum Message<T> {
    Progress(Progress),
    Done(Result<T, Failure>),
}

/// What a computation sees of the outside.
pub(crate) struct Watch {
    cancelled: Arc<AtomicBool>,
    tell: Box<dyn FnMut(Progress) + Send>,
    last: Option<Instant>,
}

impl Watch {
    /// Has the user interrupted?
    pub(crate) fn cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Tells progress, not more often than it is listened to; `false` if the user has interrupted.
    pub(crate) fn go_on(&mut self, progress: impl FnOnce() -> Progress) -> bool {
        if self.last.is_none_or(|last| last.elapsed() >= PERIOD) {
            self.last = Some(Instant::now());
            (self.tell)(progress());
        }
        !self.cancelled()
    }
}

/// Runs a computation; `listener`, if given, is called with its progress.
pub(crate) fn run<T: Send + 'static>(
    py: Python<'_>,
    listener: Option<&Bound<'_, PyAny>>,
    work: impl FnOnce(&mut Watch) -> Result<T, Failure> + Send + 'static,
) -> PyResult<T> {
    let cancelled = Arc::new(AtomicBool::new(false));
    let (sender, receiver) = channel::<Message<T>>();
    let watch = Watch { cancelled: Arc::clone(&cancelled), tell: teller(sender.clone()), last: None };
    let thread = move || {
        // Whoever has left does not listen any more.
        let _ = sender.send(Message::Done(guarded(watch, work)));
    };
    let spawned = std::thread::Builder::new().name("gradcert".to_owned()).stack_size(STACK).spawn(thread);
    spawned.map_err(|e| Failure::Limit(format!("no thread to compute on: {e}")))?;
    let result = wait(py, listener, receiver);
    cancelled.store(true, Ordering::Relaxed);
    result
}

fn teller<T: Send + 'static>(sender: Sender<Message<T>>) -> Box<dyn FnMut(Progress) + Send> {
    Box::new(move |progress| {
        let _ = sender.send(Message::Progress(progress));
    })
}

fn guarded<T>(mut watch: Watch, work: impl FnOnce(&mut Watch) -> Result<T, Failure>) -> Result<T, Failure> {
    let caught = catch_unwind(AssertUnwindSafe(|| work(&mut watch)));
    caught.unwrap_or_else(|_| Err(Failure::Bug(PANIC.with(|kept| kept.borrow().clone()))))
}

fn wait<T: Send + 'static>(
    py: Python<'_>,
    listener: Option<&Bound<'_, PyAny>>,
    mut receiver: Receiver<Message<T>>,
) -> PyResult<T> {
    loop {
        let (message, back) = py.detach(move || (receiver.recv_timeout(PERIOD), receiver));
        receiver = back;
        match message {
            Ok(Message::Done(result)) => return result.map_err(PyErr::from),
            Ok(Message::Progress(progress)) => {
                if let Some(listener) = listener {
                    listener.call1(progress)?;
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Failure::Bug("a computation ended without a result".to_owned()).into());
            }
        }
        py.check_signals()?;
    }
}
