# services.webmon: a scheduler, a checker, or both, on a PostgreSQL and a Kafka that are there already.
packages:
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.webmon;
  yaml = pkgs.formats.yaml { };

  service = name: {
    enable = lib.mkEnableOption "the ${name}" // {
      default = true;
    };
    settings = lib.mkOption {
      inherit (yaml) type;
      default = { };
      description = "The configuration of the ${name}; `${name}/config-example.yaml` explains every key.";
    };
  };

  # PROGRAM ARGUMENT…: a command line of one of webmon's programs.
  call = name: arguments: "${lib.getExe cfg.packages.${name}} ${arguments}";
  configured =
    name: arguments:
    call name "${arguments} --config ${yaml.generate "${name}.yaml" cfg.${name}.settings}";

  # A unit with no rights but those that webmon needs. The drain takes up to 25 s.
  unit = description: command: {
    inherit description;
    after = [
      "network-online.target"
      "postgresql.target"
      "apache-kafka.service"
    ];
    wants = [ "network-online.target" ];
    wantedBy = [ "multi-user.target" ];
    script = ''
      DATABASE_URL=${
        if cfg.database.urlFile == null then
          lib.escapeShellArg cfg.database.url
        else
          ''$(<"$CREDENTIALS_DIRECTORY/database-url")''
      }
      export DATABASE_URL
      exec ${command}
    '';
    serviceConfig = {
      DynamicUser = true;
      User = "webmon";
      LoadCredential = lib.mkIf (cfg.database.urlFile != null) "database-url:${cfg.database.urlFile}";
      Restart = "on-failure";
      RestartSec = 5;
      TimeoutStopSec = 35;
      # a descriptor for each of the checks that run at once
      LimitNOFILE = 131072;
      TasksMax = "infinity";

      CapabilityBoundingSet = "";
      LockPersonality = true;
      MemoryDenyWriteExecute = true;
      PrivateDevices = true;
      ProtectClock = true;
      ProtectControlGroups = true;
      ProtectHome = true;
      ProtectHostname = true;
      ProtectKernelLogs = true;
      ProtectKernelModules = true;
      ProtectKernelTunables = true;
      ProtectProc = "invisible";
      RestrictAddressFamilies = [
        "AF_INET"
        "AF_INET6"
        "AF_NETLINK"
        "AF_UNIX"
      ];
      RestrictNamespaces = true;
      RestrictRealtime = true;
      SystemCallArchitectures = "native";
      SystemCallFilter = [ "@system-service" ];
      UMask = "0077";
    };
  };

  once.serviceConfig = {
    Type = "oneshot";
    RemainAfterExit = true;
  };

  afterMigration = rec {
    requires = [ "webmon-migration.service" ];
    after = requires;
  };
in
{
  options.services.webmon = {
    enable = lib.mkEnableOption "webmon, a distributed website monitor";

    packages = lib.mkOption {
      type = lib.types.attrsOf lib.types.package;
      default = packages.${pkgs.stdenv.hostPlatform.system};
      defaultText = lib.literalMD "those of webmon's flake";
      description = "webmon's programs, by their names.";
    };

    database = {
      url = lib.mkOption {
        type = lib.types.str;
        default = "postgres://webmon@%2Frun%2Fpostgresql/webmon";
        description = ''
          Where PostgreSQL is. By default it is on this machine, and knows the user `webmon` by its
          socket. Everybody can read what stands here.
        '';
      };
      urlFile = lib.mkOption {
        type = lib.types.nullOr lib.types.str;
        default = null;
        example = "/run/secrets/webmon-database-url";
        description = "A file that holds the URL instead, if that has a password. Only root must read it.";
      };
    };

    sites = lib.mkOption {
      type = lib.types.nullOr lib.types.path;
      default = null;
      example = lib.literalExpression "./sites.yaml";
      description = "A sites file that is applied at each start and after each change.";
    };

    scheduler = service "scheduler";
    checker = service "checker";
  };

  config = lib.mkIf cfg.enable {
    services.webmon = lib.genAttrs [ "scheduler" "checker" ] (_: {
      settings = {
        database.url = lib.mkDefault "\${DATABASE_URL}";
        kafka.brokers = lib.mkDefault [ "127.0.0.1:9092" ];
      };
    });

    systemd.services = {
      webmon-migration = lib.mkMerge [
        (unit "The schema of webmon's database" (call "migration" "up"))
        once
      ];
      webmon-sites = lib.mkIf (cfg.sites != null) (
        lib.mkMerge [
          (unit "The sites that webmon watches" (configured "scheduler" "apply ${cfg.sites}"))
          once
          afterMigration
        ]
      );
      webmon-scheduler = lib.mkIf cfg.scheduler.enable (
        lib.mkMerge [
          (unit "webmon's scheduler" (configured "scheduler" "run"))
          afterMigration
        ]
      );
      webmon-checker = lib.mkIf cfg.checker.enable (
        lib.mkMerge [
          (unit "webmon's checker" (configured "checker" "run"))
          afterMigration
        ]
      );
    };
  };
}
