# How cargo builds webmon, and what is checked.
#
#   programs   scheduler, checker, migration and webmon, each with its binary alone
#   checks     what ci/test runs of cargo
#   inputs     what a build needs beside Rust, and testTools and testEnv what the tests need
#
# The dependencies are compiled once for the programs, and once in the profile of ci/test, which asserts
# more and compiles faster, for all checks.
{ pkgs, craneLib }:
let
  inherit (pkgs) lib;
  inherit (lib) fileset;
  workspace = (lib.importTOML ../Cargo.toml).workspace.package;

  # The programs see manifests and code alone, so that nothing else has them built again.
  code = fileset.difference (fileset.unions [
    ../Cargo.lock
    (fileset.fileFilter (file: file.name == "Cargo.toml" || file.hasExt "rs") ../.)
  ]) ../dev/fuzz;

  # The one place where tests read Markdown.
  tables = ../lib/probe/tests/probe/tables;

  # The checks see what tests and linters read, too; what is left out is no matter of theirs.
  checked = fileset.difference ../. (
    fileset.unions [
      ../dev/fuzz
      ../nix
      (fileset.difference (fileset.fileFilter (file: file.hasExt "md") ../.) tables)
      (fileset.fileFilter (file: file.hasExt "nix") ../docker)
    ]
  );

  source =
    files:
    fileset.toSource {
      root = ../.;
      fileset = files;
    };

  common = inputs // {
    pname = "webmon";
    inherit (workspace) version;
    strictDeps = true;
    cargoVendorDir = craneLib.vendorCargoDeps { cargoLock = ../Cargo.lock; };
  };

  inputs = {
    nativeBuildInputs = [
      pkgs.cmake
      pkgs.pkg-config
    ];
    # librdkafka is linked against OpenSSL; of curl its build includes a header, and links nothing.
    buildInputs = [
      pkgs.openssl
      pkgs.curl
    ];
  };

  names = [
    "scheduler"
    "checker"
    "migration"
    "webmon"
  ];

  # One build of all programs: each by itself would choose other features for the dependencies, and
  # compile them once more.
  release = common // {
    src = source code;
    cargoExtraArgs = "--locked " + lib.concatMapStringsSep " " (name: "--package ${name}") names;
    doCheck = false;
  };

  built = craneLib.buildPackage (
    release
    // {
      # `cargo check` would compile all of them a second time, for nobody.
      cargoArtifacts = craneLib.buildDepsOnly (release // { cargoCheckCommand = "true"; });
      disallowedReferences = [
        common.cargoVendorDir
        pkgs.curl.dev
        pkgs.openssl.dev
        pkgs.rustc.unwrapped
      ];
    }
  );

  # Only the libraries of its own binary come with a program.
  program =
    name:
    pkgs.runCommand "${name}-${workspace.version}" {
      meta = {
        inherit ((lib.importTOML ../${name}/Cargo.toml).package) description;
        license = with lib.licenses; [
          mit
          asl20
        ];
        mainProgram = name;
        platforms = lib.platforms.linux;
      };
    } "install -D --target-directory=$out/bin ${built}/bin/${name}";

  debug = common // {
    src = source checked;
    CARGO_PROFILE = "dev";
  };

  check = debug // {
    cargoArtifacts = craneLib.buildDepsOnly debug;
    doInstallCargoArtifacts = false;
  };

  testTools = [
    pkgs.openssl # certificates for the broker
    pkgs.pgbouncer
    pkgs.postgresql
    pkgs.procps
    pkgs.tinyproxy
    pkgs.apacheKafka.jre
  ]
  ++ lib.optionals pkgs.stdenv.hostPlatform.isLinux [
    pkgs.iproute2
    pkgs.nftables
    pkgs.util-linux # script, setpriv, unshare
  ];

  testEnv = {
    KAFKA_HOME = "${pkgs.apacheKafka}";
    SSL_CERT_FILE = "${pkgs.cacert}/etc/ssl/certs/ca-bundle.crt";
  };
in
{
  inherit inputs testTools testEnv;

  programs = lib.genAttrs names program;

  checks = {
    clippy = craneLib.cargoClippy (
      check // { cargoClippyExtraArgs = "--all-targets -- --deny warnings"; }
    );

    deny = craneLib.cargoDeny check;

    doc = craneLib.cargoDoc (check // { RUSTDOCFLAGS = "--deny warnings"; });

    fmt = craneLib.cargoFmt (check // { cargoExtraArgs = "--all"; });

    # On a real PostgreSQL and a real Kafka. What the sandbox forbids, namespaces of the network for
    # one, is not tested here, and the log says so.
    tests = craneLib.mkCargoDerivation (
      check
      // testEnv
      // {
        pnameSuffix = "-tests";
        nativeBuildInputs = inputs.nativeBuildInputs ++ testTools;
        postPatch = "patchShebangs ci";
        buildPhaseCargoCommand = "cargo build --locked --workspace --all-targets";
        doCheck = true;
        checkPhaseCargoCommand = "ci/services cargo test --locked --workspace --no-fail-fast";
      }
    );
  };
}
