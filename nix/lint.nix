# What is read and not run: Nix files and scripts.
{ pkgs }:
let
  inherit (pkgs.lib) fileset;

  lint =
    tools: files: command:
    pkgs.runCommand "lint" { nativeBuildInputs = tools; } ''
      cd ${
        fileset.toSource {
          root = ../.;
          fileset = files;
        }
      }
      ${command}
      touch $out
    '';
in
{
  nix = lint [ pkgs.deadnix pkgs.nixfmt ] (fileset.fileFilter (file: file.hasExt "nix") ../.) ''
    find . -name '*.nix' -exec nixfmt --check {} +
    deadnix --fail .
  '';

  scripts =
    lint [ pkgs.shellcheck ]
      (fileset.unions [
        ../ci
        ../docker
      ])
      ''
        grep --recursive --files-with-matches --null '^#!/usr/bin/env bash' . |
          xargs --null shellcheck --external-sources
      '';
}
