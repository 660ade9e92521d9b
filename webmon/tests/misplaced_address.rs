//! An address of a database where the command line wants something else: no program repeats its password.

use std::time::Duration;

use testbed::Process;

/// How long a refusal may take.
const DEADLINE: Duration = Duration::from_secs(15);
/// An address with every mistake in its password.
const ADDRESS: &str = "postgres://webmon:ge/heim@x?heim#1@db.example:5432/webmon";

#[tokio::test(flavor = "multi_thread")]
async fn no_program_repeats_the_password_of_an_address_in_the_wrong_place() {
    let option = format!("--database-url={ADDRESS}");
    for program in ["scheduler", "checker", "webmon"] {
        for arguments in [
            vec![ADDRESS],
            vec!["check-config", ADDRESS],
            vec!["--config", ADDRESS, "check-config"],
            vec!["check-config", &option],
            vec!["check-config", "--database", ADDRESS],
        ] {
            let refused = Process::run(program, &arguments, DEADLINE).await;
            let said = refused.stdout + &refused.stderr;
            assert_eq!(refused.code, 2, "{program} {arguments:?}: {said}");
            assert!(!said.contains("heim"), "{program} {arguments:?}: {said}");
        }
    }
}
