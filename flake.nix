{
  description = "webmon, a distributed website monitor";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";
    crane.url = "github:ipetkov/crane/v0.24.0";
  };

  outputs =
    {
      self,
      nixpkgs,
      crane,
    }:
    let
      inherit (nixpkgs) lib;
      linux = [
        "x86_64-linux"
        "aarch64-linux"
      ];
      darwin = [
        "x86_64-darwin"
        "aarch64-darwin"
      ];

      # each SYSTEMS (PARTS: OUTPUT): an output for each of the systems, made of its parts.
      each = systems: make: lib.genAttrs systems (system: make parts.${system});
      parts = lib.genAttrs (linux ++ darwin) (system: rec {
        pkgs = nixpkgs.legacyPackages.${system};
        rust = import ./nix/rust.nix {
          inherit pkgs;
          craneLib = crane.mkLib pkgs;
        };
        images = import ./docker/images.nix {
          inherit pkgs;
          inherit (rust) programs;
        };
      });

      # An image as a package prints itself as a tar archive, for `docker load`.
      imagePackages = lib.mapAttrs' (name: lib.nameValuePair "${name}-image");
    in
    {
      packages = each linux (
        { rust, images, ... }:
        rust.programs // imagePackages images // { default = rust.programs.webmon; }
      );

      apps = each linux (
        {
          pkgs,
          rust,
          images,
          ...
        }:
        let
          app = program: {
            type = "app";
            program = lib.getExe program;
            meta = { inherit (program.meta) description; };
          };
        in
        lib.mapAttrs (_: app) rust.programs
        // {
          default = app rust.programs.webmon;
          load-images = app (
            pkgs.writeShellApplication {
              name = "load-images";
              text = lib.concatMapStrings (image: "${image} | docker load\n") (lib.attrValues images);
              meta.description = "Loads webmon's images into the Docker of this machine";
            }
          );
        }
      );

      checks = each linux (
        {
          pkgs,
          rust,
          images,
        }:
        rust.checks
        // import ./nix/lint.nix { inherit pkgs; }
        // {
          images = pkgs.linkFarm "images" (lib.mapAttrs (_: image: image.root) images);
          vm = import ./nix/vm-test.nix {
            inherit pkgs;
            module = self.nixosModules.default;
          };
        }
      );

      devShells = each (linux ++ darwin) (
        { pkgs, rust, ... }: { default = import ./nix/shell.nix { inherit pkgs rust; }; }
      );

      formatter = each (linux ++ darwin) ({ pkgs, ... }: pkgs.nixfmt-tree);

      nixosModules.default = import ./nix/module.nix self.packages;
    };
}
