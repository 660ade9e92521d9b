# The images: a program, the libraries it is linked against, and the authorities it trusts. No shell, no
# store, no time of the build, an unprivileged user.
#
# docker/Dockerfile makes them for those who have no Nix. Where it says something else of an image, this
# one does not evaluate.
{ pkgs, programs }:
let
  inherit (pkgs) lib;
  inherit ((lib.importTOML ../Cargo.toml).workspace.package) license;

  user = "65532:65532";
  certificates = "SSL_CERT_FILE=/etc/ssl/certs/ca-bundle.crt";

  services = {
    scheduler = {
      command = "run";
      port = 9361;
    };
    checker = {
      command = "run";
      port = 9362;
    };
    migration.command = "up";
    webmon = {
      command = "up";
      port = 9360;
    };
  };

  labels = name: {
    "org.opencontainers.image.description" = programs.${name}.meta.description;
    "org.opencontainers.image.licenses" = license;
    "org.opencontainers.image.title" = "webmon/${name}";
  };

  # All that is in an image, with no reference to anything outside of it. A program that does not start
  # is found here.
  root =
    name:
    pkgs.runCommand "${name}-root"
      {
        nativeBuildInputs = [
          pkgs.nukeReferences
          pkgs.patchelf
        ];
        allowedReferences = [ ];
      }
      ''
        bash ${./make-root} ${lib.getExe programs.${name}} ${pkgs.cacert}/etc/ssl/certs/ca-bundle.crt $out
        nuke-refs $out/{bin,lib}/*
        $out/lib/ld-linux-* --library-path $out/lib $out/bin/${name} --version
      '';

  # The stage of docker/Dockerfile that makes the same image.
  stage =
    name:
    { command, ... }@service:
    lib.concatLines (
      [
        "FROM scratch AS ${name}"
        "COPY --from=build /out/${name} /"
        "USER ${user}"
        "ENV ${certificates}"
      ]
      ++ lib.optional (service ? port) "EXPOSE ${toString service.port}"
      ++ [
        "ENTRYPOINT [\"/bin/${name}\"]"
        "CMD [\"${command}\"]"
      ]
      ++ lib.mapAttrsToList (label: text: "LABEL ${label}=\"${text}\"") (labels name)
    );

  image =
    name:
    { command, ... }@service:
    assert lib.assertMsg (lib.hasInfix (stage name service) (builtins.readFile ./Dockerfile))
      "docker/Dockerfile makes another ${name} than docker/images.nix, which wants:\n${stage name service}";
    pkgs.dockerTools.streamLayeredImage {
      name = "webmon/${name}";
      tag = "latest";
      includeStorePaths = false;
      extraCommands = "cp --recursive ${root name}/. .";
      config = {
        User = user;
        Env = [ certificates ];
        Entrypoint = [ "/bin/${name}" ];
        Cmd = [ command ];
        Labels = labels name;
      }
      // lib.optionalAttrs (service ? port) { ExposedPorts."${toString service.port}/tcp" = { }; };
      passthru.root = root name;
    };
in
lib.mapAttrs image services
