-- The sandbox's state. Times are seconds since 1970 unless a column says otherwise; money is fen.
CREATE TABLE IF NOT EXISTS configuration (key TEXT PRIMARY KEY, value TEXT NOT NULL);

CREATE TABLE IF NOT EXISTS nonce (partner TEXT, nonce TEXT, at REAL NOT NULL, PRIMARY KEY (partner, nonce));
CREATE INDEX IF NOT EXISTS nonce_age ON nonce (partner, at);

CREATE TABLE IF NOT EXISTS call (
  id INTEGER PRIMARY KEY, at REAL NOT NULL, partner TEXT NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL,
  operation TEXT NOT NULL, fields TEXT NOT NULL, status INTEGER NOT NULL, fault TEXT
);

CREATE TABLE IF NOT EXISTS fault (
  id INTEGER PRIMARY KEY, partner TEXT NOT NULL, path TEXT NOT NULL, kind TEXT NOT NULL, left_over INTEGER NOT NULL,
  value TEXT
);

CREATE TABLE IF NOT EXISTS callback (
  id INTEGER PRIMARY KEY, partner TEXT NOT NULL, kind TEXT NOT NULL, reference TEXT NOT NULL, url TEXT NOT NULL,
  content_type TEXT NOT NULL, body BLOB NOT NULL, state TEXT NOT NULL, made_at REAL NOT NULL, due_at REAL NOT NULL,
  delays TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, held INTEGER NOT NULL DEFAULT 0,
  last_status INTEGER, last_answer TEXT
);
CREATE INDEX IF NOT EXISTS callback_due ON callback (state, due_at);

CREATE TABLE IF NOT EXISTS message (
  id INTEGER PRIMARY KEY, at REAL NOT NULL, channel TEXT NOT NULL, phone TEXT, openid TEXT, persona TEXT,
  template TEXT NOT NULL, fields TEXT NOT NULL, text TEXT NOT NULL, reference TEXT NOT NULL, out_id TEXT
);
CREATE INDEX IF NOT EXISTS message_phone ON message (phone);

CREATE TABLE IF NOT EXISTS wechat_code (
  code TEXT PRIMARY KEY, kind TEXT NOT NULL, persona TEXT NOT NULL, made_at REAL NOT NULL, used_at REAL
);
CREATE TABLE IF NOT EXISTS wechat_session (code TEXT PRIMARY KEY, session_key TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS wechat_token (
  token TEXT PRIMARY KEY, made_at REAL NOT NULL, expires_at REAL NOT NULL, forced INTEGER NOT NULL,
  current INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS wechat_consent (
  openid TEXT, template_id TEXT, remaining INTEGER NOT NULL, PRIMARY KEY (openid, template_id)
);

CREATE TABLE IF NOT EXISTS trade (
  out_trade_no TEXT PRIMARY KEY, trade_no TEXT NOT NULL UNIQUE, method TEXT NOT NULL, subject TEXT NOT NULL,
  total_fen INTEGER NOT NULL, status TEXT NOT NULL, buyer TEXT, notify_url TEXT, return_url TEXT, quit_url TEXT,
  passback_params TEXT, cashier TEXT UNIQUE, made_at REAL NOT NULL, expires_at REAL NOT NULL, settles_at REAL,
  paid_at REAL, closed_at REAL, refunded_fen INTEGER NOT NULL DEFAULT 0, paid_notify BLOB
);
CREATE TABLE IF NOT EXISTS alipay_code (
  code TEXT PRIMARY KEY, scope TEXT NOT NULL, persona TEXT NOT NULL, verify_id TEXT, made_at REAL NOT NULL, used_at REAL
);
CREATE TABLE IF NOT EXISTS alipay_token (
  token TEXT PRIMARY KEY, scope TEXT NOT NULL, persona TEXT NOT NULL, verify_id TEXT, made_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS alipay_verification (
  verify_id TEXT PRIMARY KEY, name TEXT NOT NULL, cert_no TEXT NOT NULL, made_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS refund (
  out_trade_no TEXT, out_request_no TEXT, fen INTEGER NOT NULL, reason TEXT NOT NULL, at REAL NOT NULL,
  PRIMARY KEY (out_trade_no, out_request_no)
);

CREATE TABLE IF NOT EXISTS courier_order (
  order_id TEXT PRIMARY KEY, task_id TEXT NOT NULL UNIQUE, third_order_id TEXT NOT NULL, company TEXT NOT NULL,
  waybill TEXT NOT NULL UNIQUE, status INTEGER NOT NULL, param TEXT NOT NULL, callback_url TEXT NOT NULL,
  salt TEXT NOT NULL, made_at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS courier_order_third ON courier_order (third_order_id);
CREATE TABLE IF NOT EXISTS subscription (
  company TEXT, waybill TEXT, callback_url TEXT NOT NULL, salt TEXT NOT NULL, status TEXT NOT NULL,
  made_at REAL NOT NULL, ended_at REAL, PRIMARY KEY (company, waybill)
);
CREATE TABLE IF NOT EXISTS parcel_event (
  id INTEGER PRIMARY KEY, company TEXT NOT NULL, waybill TEXT NOT NULL, at REAL NOT NULL, state TEXT NOT NULL,
  code TEXT NOT NULL, context TEXT NOT NULL, place TEXT NOT NULL, identity_check TEXT
);
CREATE INDEX IF NOT EXISTS parcel_event_waybill ON parcel_event (waybill);

CREATE TABLE IF NOT EXISTS persona_outcome (persona TEXT PRIMARY KEY, outcome TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS identity_signal (
  id INTEGER PRIMARY KEY, signal_id TEXT NOT NULL, kind TEXT NOT NULL, document_type TEXT NOT NULL,
  document_number TEXT NOT NULL, at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS network_check (
  challenge TEXT PRIMARY KEY, request_id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, document_type TEXT NOT NULL,
  document_number TEXT NOT NULL, grade TEXT NOT NULL, purpose TEXT NOT NULL, return_url TEXT NOT NULL,
  result TEXT NOT NULL, token TEXT NOT NULL, tries INTEGER NOT NULL, expires_at REAL NOT NULL, fetched_at REAL
);

CREATE TABLE IF NOT EXISTS organisation_change (
  organisation TEXT PRIMARY KEY, representative TEXT NOT NULL, deregistered INTEGER NOT NULL
);

-- The demo department: sign-ins that it began, and the people signed in at it.
CREATE TABLE IF NOT EXISTS department_request (
  state TEXT PRIMARY KEY, visitor TEXT NOT NULL, nonce TEXT NOT NULL, verifier TEXT NOT NULL, at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS department_session (
  visitor TEXT PRIMARY KEY, sid TEXT NOT NULL, person TEXT NOT NULL, id_token TEXT NOT NULL
);
