//! Server-sent events (WHATWG HTML, 9.2.6), read as the bytes come.

use std::time::Duration;

use reqwest::Response;

use crate::{
    api,
    failure::{Failure, Result},
};

/// The server sends a heartbeat every 15 s; whoever is silent for so long has gone.
const SILENCE: Duration = Duration::from_secs(60);
const MAX_EVENT_BYTES: usize = 8 << 20;

#[derive(Debug, PartialEq, Eq)]
pub struct Event {
    pub name: String,
    pub data: String,
}

/// Lines put together to events.
#[derive(Default)]
pub struct Parser {
    buffer: Vec<u8>,
    name: String,
    data: String,
}

impl Parser {
    /// Takes bytes as they come and returns the events that are whole by them.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Event> {
        self.buffer.extend_from_slice(bytes);
        let mut events = Vec::new();
        while let Some(end) = self.buffer.iter().position(|&byte| byte == b'\n') {
            let line: Vec<u8> = self.buffer.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            events.extend(self.line(line.trim_end_matches(['\r', '\n'])));
        }
        events
    }

    fn line(&mut self, line: &str) -> Option<Event> {
        if line.is_empty() {
            let (name, data) = (std::mem::take(&mut self.name), std::mem::take(&mut self.data));
            return (!data.is_empty()).then_some(Event { name, data });
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => {
                if !self.data.is_empty() {
                    self.data.push('\n');
                }
                self.data.push_str(value);
            }
            // Comments (heartbeats), ids and retries.
            _ => {}
        }
        None
    }

    fn held_bytes(&self) -> usize {
        self.buffer.len() + self.data.len()
    }
}

/// An open stream.
pub struct Stream {
    reply: Response,
    parser: Parser,
    ready: std::collections::VecDeque<Event>,
}

impl Stream {
    pub fn new(reply: Response) -> Self {
        Self { reply, parser: Parser::default(), ready: std::collections::VecDeque::new() }
    }

    /// The next event; `None` when the server has ended the stream.
    pub async fn next(&mut self) -> Result<Option<Event>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(Some(event));
            }
            let chunk = tokio::time::timeout(SILENCE, self.reply.chunk())
                .await
                .map_err(|_| Failure::Unreachable("The server has fallen silent.".into()))?;
            let Some(chunk) = chunk.map_err(api::unreachable)? else { return Ok(None) };
            self.ready.extend(self.parser.push(&chunk));
            if self.parser.held_bytes() > MAX_EVENT_BYTES {
                return Err(Failure::Other(anyhow::anyhow!("an event of the server is too long")));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str, data: &str) -> Event {
        Event { name: name.into(), data: data.into() }
    }

    #[test]
    fn events_are_the_same_however_the_bytes_are_cut() {
        let text = ": heartbeat\n\nevent: snapshot\ndata: {\"a\":\"비\"}\n\nevent:job\r\ndata:1\r\ndata: 2\r\n\r\nevent: left\n";
        let whole = vec![event("snapshot", "{\"a\":\"비\"}"), event("job", "1\n2")];
        for size in 1..=text.len() {
            let mut parser = Parser::default();
            let found: Vec<Event> = text.as_bytes().chunks(size).flat_map(|chunk| parser.push(chunk)).collect();
            assert_eq!(found, whole, "in pieces of {size}");
        }
    }
}
