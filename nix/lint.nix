# What is read and not run: Nix files and scripts.
{ pkgs }:
let
  inherit (pkgs.lib) fileset;

  lint =
    name:
    {
      tools,
      files,
      command,
    }:
    let
      src = fileset.toSource {
        root = ../.;
        fileset = files;
      };
    in
    pkgs.runCommand "webmon-${name}" { nativeBuildInputs = tools; } ''
      cd ${src}
      ${command}
      touch $out
    '';
in
builtins.mapAttrs lint {
  nix = {
    tools = [
      pkgs.deadnix
      pkgs.nixfmt
    ];
    files = fileset.fileFilter (file: file.hasExt "nix") ../.;
    command = ''
      find . -name '*.nix' -exec nixfmt --check {} +
      deadnix --fail .
    '';
  };

  scripts = {
    tools = [ pkgs.shellcheck ];
    files = fileset.unions [
      ../ci
      ../docker
    ];
    command = ''
      grep --recursive --files-with-matches --null '^#!/usr/bin/env bash' . |
        xargs --null shellcheck --external-sources
    '';
  };
}
