# `nix develop`: all that ci/up, ci/test and the other scripts of ci/ need, so that they install nothing.
{ pkgs, rust }:
pkgs.mkShell {
  inherit (rust.inputs) buildInputs;

  packages =
    rust.inputs.nativeBuildInputs
    ++ rust.testTools
    ++ [
      pkgs.cargo
      pkgs.clippy
      pkgs.rustc
      pkgs.rustfmt

      pkgs.actionlint
      pkgs.cargo-deny
      pkgs.cargo-fuzz
      pkgs.cargo-machete
      pkgs.deadnix
      pkgs.nixfmt
      pkgs.prometheus.cli # promtool
      pkgs.shellcheck
    ];

  env = rust.testEnv;
}
