//! What client and server say to each other, as far as cutting in between needs it.
//!
//! See "Message Formats" in Postgres's manual. A message is one byte of kind and four
//! of length, which counts itself; the first of a connection has no kind.
use std::collections::HashMap;

/// Codes that stand in the place of the protocol's version.
const CANCEL_REQUEST: u32 = 80_877_102;
const SSL_REQUEST: u32 = 80_877_103;
const GSS_REQUEST: u32 = 80_877_104;

/// A whole message of the client.
pub(super) struct Message {
    pub(super) bytes: Vec<u8>,
    /// The statement that it makes the server run.
    pub(super) runs: Option<Vec<u8>>,
}

#[derive(Default, PartialEq)]
enum Phase {
    #[default]
    Opening,
    /// The server's next byte says whether the rest is encrypted.
    EncryptionAsked,
    Messages,
    /// Encrypted, or of no interest.
    Opaque,
}

/// The state of one connection.
#[derive(Default)]
pub(super) struct Conversation {
    phase: Phase,
    from_client: Vec<u8>,
    /// The unread start of a server's message.
    server_header: Vec<u8>,
    /// How much of the server's current message is still to come.
    server_rest: usize,
    statements: HashMap<Vec<u8>, Vec<u8>>,
    portals: HashMap<Vec<u8>, Vec<u8>>,
    /// How many times the server has to say that it is ready, and has said it.
    asked: usize,
    answered: usize,
    /// An extended query waits for its `Sync`.
    is_sync_due: bool,
    withholds_answers: bool,
}

impl Conversation {
    /// Takes bytes of the client, and gives the messages that are whole by now.
    pub(super) fn client_said(&mut self, bytes: &[u8]) -> Vec<Message> {
        self.from_client.extend_from_slice(bytes);
        let mut messages = Vec::new();
        while let Some(length) = self.client_message_length() {
            let rest = self.from_client.split_off(length);
            let bytes = std::mem::replace(&mut self.from_client, rest);
            let runs = match self.phase {
                Phase::Messages => self.note(&bytes),
                Phase::Opaque => None,
                Phase::Opening | Phase::EncryptionAsked => {
                    self.open(&bytes);
                    None
                }
            };
            messages.push(Message { bytes, runs });
        }
        messages
    }

    /// Takes bytes of the server.
    pub(super) fn server_said(&mut self, mut bytes: &[u8]) {
        if self.phase == Phase::EncryptionAsked {
            let refused = bytes.starts_with(b"N");
            self.phase = if refused {
                Phase::Opening
            } else {
                Phase::Opaque
            };
            return;
        }
        while self.phase == Phase::Messages && !bytes.is_empty() {
            let skipped = self.server_rest.min(bytes.len());
            self.server_rest -= skipped;
            bytes = &bytes[skipped..];
            let missing = (5 - self.server_header.len()).min(bytes.len());
            self.server_header.extend_from_slice(&bytes[..missing]);
            bytes = &bytes[missing..];
            if self.server_header.len() == 5 {
                let is_ready = self.server_header[0] == b'Z';
                self.answered += usize::from(is_ready);
                self.server_rest = length_at(&self.server_header, 1).saturating_sub(4);
                self.server_header.clear();
            }
        }
    }

    /// From now on the client is not to hear the server.
    pub(super) fn withhold_answers(&mut self) {
        self.withholds_answers = true;
    }

    pub(super) fn withholds_answers(&self) -> bool {
        self.withholds_answers
    }

    /// Whether the server has come to the end of all that it was asked.
    pub(super) fn is_all_answered(&self) -> bool {
        !self.is_sync_due && self.answered >= self.asked
    }

    fn client_message_length(&self) -> Option<usize> {
        let held = self.from_client.len();
        // Encryption may also start without asking, with a TLS record.
        let is_tls = self.phase != Phase::Messages && self.from_client.first() == Some(&0x16);
        if self.phase == Phase::Opaque || is_tls {
            return Some(held).filter(|held| *held > 0);
        }
        let kind = usize::from(self.phase == Phase::Messages);
        if held < kind + 4 {
            return None;
        }
        let length = kind + length_at(&self.from_client, kind).max(4);
        (held >= length).then_some(length)
    }

    fn open(&mut self, message: &[u8]) {
        let code = message.get(4..8).map(|code| length_at(code, 0));
        self.phase = match code.map(|code| u32::try_from(code).unwrap_or_default()) {
            _ if message[0] == 0x16 => Phase::Opaque,
            Some(SSL_REQUEST | GSS_REQUEST) => Phase::EncryptionAsked,
            None | Some(CANCEL_REQUEST) => Phase::Opaque,
            Some(_) => {
                // The server says that it is ready when the login is done.
                self.asked = 1;
                Phase::Messages
            }
        };
    }

    /// Follows prepared statements to where they run, and gives the statement if
    /// this message is where.
    fn note(&mut self, message: &[u8]) -> Option<Vec<u8>> {
        let mut strings = message[5..].split(|byte| *byte == 0).map(<[u8]>::to_vec);
        let mut next = || strings.next().unwrap_or_default();
        match message[0] {
            b'Q' => {
                self.asked += 1;
                Some(next())
            }
            b'S' | b'F' => {
                self.asked += 1;
                self.is_sync_due = false;
                None
            }
            b'P' => {
                let name = next();
                self.statements.insert(name, next());
                None
            }
            b'B' => {
                let portal = next();
                let statement = self.statements.get(&next()).cloned();
                self.portals.insert(portal, statement.unwrap_or_default());
                None
            }
            b'E' => {
                self.is_sync_due = true;
                self.portals.get(&next()).cloned()
            }
            _ => None,
        }
    }
}

fn length_at(bytes: &[u8], start: usize) -> usize {
    let mut length = [0; 4];
    length.copy_from_slice(&bytes[start..start + 4]);
    usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX)
}
