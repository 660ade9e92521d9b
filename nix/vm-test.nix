# All of webmon on a machine of its own, as the NixOS module sets it up: a site is up, then it is down,
# and a checker that is stopped leaves in good order.
{ pkgs, module }:
pkgs.testers.runNixOSTest {
  name = "webmon";

  nodes.machine = {
    imports = [ module ];

    virtualisation.memorySize = 2048;

    services.postgresql = {
      enable = true;
      ensureDatabases = [ "webmon" ];
      ensureUsers = [
        {
          name = "webmon";
          ensureDBOwnership = true;
        }
      ];
    };

    services.apache-kafka = {
      enable = true;
      clusterId = "d2VibW9uLXZtLXRlc3QtMQ";
      formatLogDirs = true;
      jvmOptions = [ "-Xmx512m" ];
      settings = {
        "process.roles" = [
          "broker"
          "controller"
        ];
        "node.id" = 1;
        "controller.quorum.voters" = [ "1@127.0.0.1:9093" ];
        "controller.listener.names" = [ "CONTROLLER" ];
        "listeners" = [
          "PLAINTEXT://127.0.0.1:9092"
          "CONTROLLER://127.0.0.1:9093"
        ];
        "listener.security.protocol.map" = [
          "PLAINTEXT:PLAINTEXT"
          "CONTROLLER:PLAINTEXT"
        ];
        "log.dirs" = [ "/var/lib/kafka" ];
        "auto.create.topics.enable" = false;
        "group.initial.rebalance.delay.ms" = 0;
        "offsets.topic.num.partitions" = 4;
        "offsets.topic.replication.factor" = 1;
      };
    };

    services.nginx = {
      enable = true;
      virtualHosts.localhost.locations."/".return = "200 open";
    };

    services.webmon = {
      enable = true;
      sites = pkgs.writeText "sites.yaml" ''
        sites:
          - name: shop
            url: http://127.0.0.1/
            interval: 1s
            expect:
              body:
                - contains: open
      '';
      checker.settings.addresses.allow = [ "127.0.0.0/8" ];
    };
  };

  testScript = ''
    def await_verdict(condition):
        query = f"""
            SELECT count(*) > 2 FROM check_result r JOIN site s ON s.id = r.site_id
            WHERE s.name = 'shop' AND {condition}
        """
        machine.wait_until_succeeds(
            f'runuser -u postgres -- psql -tA webmon -c "{query}" | grep t', timeout=120
        )

    machine.wait_for_unit("webmon-scheduler.service")
    machine.wait_for_unit("webmon-checker.service")
    await_verdict("outcome = 'up'")

    machine.systemctl("stop nginx.service")
    await_verdict("outcome = 'down' AND reason = 'connect_refused'")

    machine.succeed("systemctl stop webmon-checker.service webmon-scheduler.service")
    machine.fail("systemctl is-failed webmon-checker.service webmon-scheduler.service")
  '';
}
