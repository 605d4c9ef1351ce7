use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex, mpsc};

use runtime_contract::value::Private;
use runtime_contract::{FlowProgram, Type};
use runtime_session::testkit::Kit;
use serde_json::{Value as Json, json};
use zeroize::Zeroizing;

use super::*;
use crate::config::Config;
use crate::responder::{Asked, Reply, Responder};

/// A flow that knows one service with one operation `find(p)`.
fn program(parameter: Type, result: Option<Type>) -> Arc<dyn FlowProgram> {
    let mut kit = Kit::new(&[]);
    kit.service("crm", &[parameter], result, true);
    kit.build()
}

struct Bench {
    services: Services,
    runtime: tokio::runtime::Runtime,
}

impl Bench {
    fn new(yaml: &str) -> Bench {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let site = SharedSite::new(Config::parse(yaml).unwrap());
        Bench { services: Services::new(runtime.handle().clone(), site), runtime }
    }

    /// Against a responder at `crm`.
    fn with(answer: impl Fn(Asked<'_>) -> Reply + Send + Sync + 'static) -> (Bench, Responder) {
        let responder = Responder::start(answer).unwrap();
        let yaml = format!(
            "services:\n  crm:\n    base: http://{}/v1\n    headers: {{ Authorization: Bearer x }}\n",
            responder.address
        );
        (Bench::new(&yaml), responder)
    }

    fn ask(&mut self, program: &Arc<dyn FlowProgram>, argument: Value, within_ms: u32) -> Answer {
        let (send, answers) = mpsc::channel();
        self.services.start(call(program, argument, within_ms), move |_, _, answer| send.send(answer).unwrap());
        answers.recv().unwrap()
    }
}

fn call(program: &Arc<dyn FlowProgram>, argument: Value, within_ms: u32) -> ServiceCall {
    ServiceCall {
        call: CallId([7; 16]),
        request: RequestId(3),
        program: Arc::clone(program),
        service: 0,
        operation: 0,
        arguments: vec![argument],
        within_ms,
        idempotency_key: Some("07-3".into()),
    }
}

#[test]
fn an_operation_is_a_post_of_its_arguments() {
    let (send, seen) = mpsc::channel();
    let send = Mutex::new(send);
    let (mut bench, _responder) = Bench::with(move |asked| {
        let key = asked.idempotency_key.map(str::to_owned);
        send.lock().unwrap().send((asked.operation.to_owned(), asked.arguments, key)).unwrap();
        (200, json!("found"))
    });
    let program = program(Type::Private(Box::new(Type::Digits)), Some(Type::Text));
    let card = Value::Private(Private(Zeroizing::new("4111111111111111".into())));
    assert_eq!(bench.ask(&program, card, 30_000), Ok(Some(Value::Text("found".into()))));
    let wanted = ("v1/find".to_owned(), json!({ "p": "4111111111111111" }), Some("07-3".to_owned()));
    assert_eq!(seen.try_iter().collect::<Vec<_>>(), [wanted]);
}

#[test]
fn answers_mean_what_the_reference_says() {
    let optional = Type::Optional(Box::new(Type::Int));
    let cases = [
        (Some(Type::Int), (200, json!(5)), Ok(Some(Value::Int(5)))),
        (Some(Type::Int), (201, json!(5)), Ok(Some(Value::Int(5)))),
        (Some(Type::Int), (200, json!("five")), Err(ServiceFailure::BadReply)),
        (Some(Type::Int), (200, Json::Null), Err(ServiceFailure::BadReply)),
        (Some(Type::Int), (404, Json::Null), Err(ServiceFailure::Refused)),
        (Some(optional.clone()), (404, Json::Null), Ok(Some(Value::None))),
        (Some(optional.clone()), (200, Json::Null), Ok(Some(Value::None))),
        (Some(optional), (500, Json::Null), Err(ServiceFailure::Refused)),
        (None, (204, Json::Null), Ok(None)),
        (None, (200, json!({ "anything": 1 })), Ok(None)),
        (None, (302, Json::Null), Err(ServiceFailure::Refused)),
    ];
    for (result, reply, wanted) in cases {
        let shown = format!("{result:?} {reply:?}");
        let (mut bench, _responder) = Bench::with(move |_| reply.clone());
        assert_eq!(bench.ask(&program(Type::Int, result), Value::Int(1), 30_000), wanted, "{shown}");
    }
}

#[test]
fn an_answer_longer_than_the_bound_is_refused() {
    let money = |more: usize| json!({ "amount": "1", "currency": "CNY", "more": "x".repeat(more) });
    let most = REPLY_BYTES_MAX - money(0).to_string().len();
    for (more, fits) in [(most, true), (most + 1, false)] {
        let (mut bench, _responder) = Bench::with(move |_| (200, money(more)));
        let answer = bench.ask(&program(Type::Int, Some(Type::Money)), Value::Int(1), 30_000);
        assert_eq!((answer.is_ok(), answer == Err(ServiceFailure::BadReply)), (fits, !fits));
    }
}

#[test]
fn a_service_that_is_not_there_or_not_named_is_said_apart() {
    let program = program(Type::Int, None);
    let mut nowhere = Bench::new("services: { crm: { base: http://127.0.0.1:1 } }\n");
    assert_eq!(nowhere.ask(&program, Value::Int(1), 30_000), Err(ServiceFailure::Unreachable));
    let mut unnamed = Bench::new("");
    assert_eq!(unnamed.ask(&program, Value::Int(1), 30_000), Err(ServiceFailure::NotConfigured));
}

#[test]
fn a_silent_service_is_left_in_time_and_a_cancelled_one_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut bench =
        Bench::new(&format!("services: {{ crm: {{ base: http://{} }} }}\n", listener.local_addr().unwrap()));
    let program = program(Type::Int, None);
    assert_eq!(bench.ask(&program, Value::Int(1), 20), Err(ServiceFailure::Unreachable));

    // Cancelled: the connection closes, and nobody is answered.
    bench.services.in_flight.clear();
    let (send, answers) = mpsc::channel();
    bench.services.start(call(&program, Value::Int(1), 30_000), move |_, _, answer| send.send(answer).unwrap());
    drop(listener.accept().unwrap());
    let (mut connection, _) = listener.accept().unwrap();
    let mut byte = [0];
    connection.read_exact(&mut byte).unwrap();
    bench.services.cancel(CallId([7; 16]), RequestId(3));
    let mut rest = Vec::new();
    connection.read_to_end(&mut rest).unwrap();
    assert!(answers.recv().is_err());
    assert!(bench.services.in_flight.is_empty());
}

#[test]
fn garbage_in_place_of_http_is_a_failure() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut bench =
        Bench::new(&format!("services: {{ crm: {{ base: http://{} }} }}\n", listener.local_addr().unwrap()));
    let garbage = std::thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let _ = connection.write_all(&[0xff; 300]);
    });
    assert_eq!(bench.ask(&program(Type::Int, None), Value::Int(1), 30_000), Err(ServiceFailure::Unreachable));
    garbage.join().unwrap();
}

#[test]
fn requests_in_flight_have_a_bound() {
    let mut bench = Bench::new("");
    let task = bench.runtime.spawn(std::future::pending::<()>());
    for n in 0..IN_FLIGHT_MAX {
        bench.services.in_flight.insert((CallId::default(), RequestId(n as u32)), task.abort_handle());
    }
    assert_eq!(bench.ask(&program(Type::Int, None), Value::Int(1), 30_000), Err(ServiceFailure::Overload));
    bench.services.finished(CallId::default(), RequestId(0));
    assert_eq!(bench.ask(&program(Type::Int, None), Value::Int(1), 30_000), Err(ServiceFailure::NotConfigured));
}
