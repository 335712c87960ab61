//! Finding out about the other side before it is polled: [`attempt`] tries a definition out.
