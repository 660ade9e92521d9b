//! What becomes of an address while nothing is configured: each network's edges and neighbours.
//!
//! `public` is dialled, `closed` needs a network in `addresses.allow`, `metadata` its exact address.

/// The address, its verdict and its name.
pub(crate) const TABLE: &str = "\
0.0.0.0                                 closed   this network 0.0.0.0/8, first
0.255.255.255                           closed   this network 0.0.0.0/8, last
1.0.0.0                                 public   after 0.0.0.0/8
9.255.255.255                           public   before 10.0.0.0/8
10.0.0.0                                closed   private 10.0.0.0/8, first
10.255.255.255                          closed   private 10.0.0.0/8, last
11.0.0.0                                public   after 10.0.0.0/8
100.63.255.255                          public   before 100.64.0.0/10
100.64.0.0                              closed   carrier-grade NAT 100.64.0.0/10, first
100.127.255.255                         closed   carrier-grade NAT 100.64.0.0/10, last
100.128.0.0                             public   after 100.64.0.0/10
126.255.255.255                         public   before 127.0.0.0/8
127.0.0.0                               closed   loopback 127.0.0.0/8, first
127.255.255.255                         closed   loopback 127.0.0.0/8, last
128.0.0.0                               public   after 127.0.0.0/8
169.253.255.255                         public   before 169.254.0.0/16
169.254.0.0                             metadata link-local 169.254.0.0/16, first
169.254.255.255                         metadata link-local 169.254.0.0/16, last
169.255.0.0                             public   after 169.254.0.0/16
172.15.255.255                          public   before 172.16.0.0/12
172.16.0.0                              closed   private 172.16.0.0/12, first
172.31.255.255                          closed   private 172.16.0.0/12, last
172.32.0.0                              public   after 172.16.0.0/12
191.255.255.255                         public   before 192.0.0.0/24
192.0.0.0                               closed   IETF protocols 192.0.0.0/24, first
192.0.0.255                             closed   IETF protocols 192.0.0.0/24, last
192.0.1.0                               public   after 192.0.0.0/24
192.0.1.255                             public   before 192.0.2.0/24
192.0.2.0                               closed   documentation 192.0.2.0/24, first
192.0.2.255                             closed   documentation 192.0.2.0/24, last
192.0.3.0                               public   after 192.0.2.0/24
192.31.195.255                          public   before 192.31.196.0/24
192.31.196.0                            closed   AS112 192.31.196.0/24, first
192.31.196.255                          closed   AS112 192.31.196.0/24, last
192.31.197.0                            public   after 192.31.196.0/24
192.52.192.255                          public   before 192.52.193.0/24
192.52.193.0                            closed   AMT 192.52.193.0/24, first
192.52.193.255                          closed   AMT 192.52.193.0/24, last
192.52.194.0                            public   after 192.52.193.0/24
192.88.98.255                           public   before 192.88.99.0/24
192.88.99.0                             closed   6to4 relays 192.88.99.0/24, first
192.88.99.255                           closed   6to4 relays 192.88.99.0/24, last
192.88.100.0                            public   after 192.88.99.0/24
192.167.255.255                         public   before 192.168.0.0/16
192.168.0.0                             closed   private 192.168.0.0/16, first
192.168.255.255                         closed   private 192.168.0.0/16, last
192.169.0.0                             public   after 192.168.0.0/16
192.175.47.255                          public   before 192.175.48.0/24
192.175.48.0                            closed   AS112 192.175.48.0/24, first
192.175.48.255                          closed   AS112 192.175.48.0/24, last
192.175.49.0                            public   after 192.175.48.0/24
198.17.255.255                          public   before 198.18.0.0/15
198.18.0.0                              closed   benchmarks 198.18.0.0/15, first
198.19.255.255                          closed   benchmarks 198.18.0.0/15, last
198.20.0.0                              public   after 198.18.0.0/15
198.51.99.255                           public   before 198.51.100.0/24
198.51.100.0                            closed   documentation 198.51.100.0/24, first
198.51.100.255                          closed   documentation 198.51.100.0/24, last
198.51.101.0                            public   after 198.51.100.0/24
203.0.112.255                           public   before 203.0.113.0/24
203.0.113.0                             closed   documentation 203.0.113.0/24, first
203.0.113.255                           closed   documentation 203.0.113.0/24, last
203.0.114.0                             public   after 203.0.113.0/24
223.255.255.255                         public   before 224.0.0.0/4
224.0.0.0                               closed   multicast 224.0.0.0/4, first
239.255.255.255                         closed   multicast 224.0.0.0/4, last
240.0.0.0                               closed   reserved 240.0.0.0/4, first
255.255.255.255                         closed   reserved 240.0.0.0/4, last
127.0.0.1                               closed   this machine
192.0.0.9                               closed   port control, anycast
192.0.0.170                             closed   NAT64 discovery
169.254.169.254                         metadata service of most clouds
169.254.170.2                           metadata service of containers
168.63.129.16                           metadata service of Azure, out of a public network
100.100.100.200                         metadata service of Alibaba
192.0.0.192                             metadata service of Oracle
168.63.129.15                           public   before Azure
168.63.129.17                           public   after Azure
1.1.1.1                                 public   a resolver
8.8.8.8                                 public   a resolver
::                                      closed   unspecified
::1                                     closed   loopback
::2                                     closed   after loopback
::7f00:1                                closed   IPv4-compatible, deprecated, 127.0.0.1
::808:808                               closed   IPv4-compatible, deprecated, 8.8.8.8
::ffff:0:808:808                        closed   IPv4-translated, 8.8.8.8
100::                                   closed   discard-only 100::/64
100:0:0:1::                             closed   dummy 100:0:0:1::/64
1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff closed   before 2000::/3
2000::                                  public   unicast 2000::/3, first
3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff public   unicast 2000::/3, last
4000::                                  closed   after 2000::/3
2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff public   before 2001::/23
2001:1::1                               closed   port control, anycast
2001:1::                                closed   IETF protocols 2001::/23, first behind Teredo
2001:2::1                               closed   benchmarks 2001:2::/48
2001:3::1                               closed   AMT 2001:3::/32
2001:4:112::1                           closed   AS112 2001:4:112::/48
2001:10::1                              closed   ORCHID 2001:10::/28
2001:20::1                              closed   ORCHIDv2 2001:20::/28
2001:30::1                              closed   drones 2001:30::/28
2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff  closed   IETF protocols 2001::/23, last
2001:200::                              public   after 2001::/23
2001:db7:ffff:ffff:ffff:ffff:ffff:ffff  public   before 2001:db8::/32
2001:db8::                              closed   documentation 2001:db8::/32, first
2001:db8:ffff:ffff:ffff:ffff:ffff:ffff  closed   documentation 2001:db8::/32, last
2001:db9::                              public   after 2001:db8::/32
2620:4f:7fff:ffff:ffff:ffff:ffff:ffff   public   before 2620:4f:8000::/48
2620:4f:8000::                          closed   AS112 2620:4f:8000::/48, first
2620:4f:8000:ffff:ffff:ffff:ffff:ffff   closed   AS112 2620:4f:8000::/48, last
2620:4f:8001::                          public   after 2620:4f:8000::/48
3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff public   before 3fff::/20
3fff::                                  closed   documentation 3fff::/20, first
3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff  closed   documentation 3fff::/20, last
3fff:1000::                             public   after 3fff::/20
5f00::1                                 closed   segment routing 5f00::/16
fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff closed   before fc00::/7
fc00::                                  closed   unique local fc00::/7, first
fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff closed   unique local fc00::/7, last
fe00::                                  closed   after fc00::/7
fd00::1                                 closed   unique local
fe7f:ffff:ffff:ffff:ffff:ffff:ffff:ffff closed   before fe80::/10
fe80::                                  metadata link-local fe80::/10, first
febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff metadata link-local fe80::/10, last
fd00:ec2::254                           metadata service of AWS
fd00:ec2::253                           closed   before AWS
fd00:ec2::255                           closed   after AWS
fd20:ce::254                            metadata service of Google
fd20:ce::253                            closed   before Google
fd20:ce::255                            closed   after Google
fec0::                                  closed   site-local fec0::/10, first
feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff closed   site-local fec0::/10, last
ff00::                                  closed   multicast ff00::/8, first
ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff closed   multicast ff00::/8, last
2606:4700:4700::1111                    public   a resolver
2001:4860:4860::8888                    public   a resolver
::ffff:808:808                          public   v4-mapped, 8.8.8.8
::ffff:9ff:ffff                         public   v4-mapped, 9.255.255.255
::ffff:a00:0                            closed   v4-mapped, 10.0.0.0
::ffff:7f00:1                           closed   v4-mapped, 127.0.0.1
::ffff:c0a8:ffff                        closed   v4-mapped, 192.168.255.255
::ffff:e000:1                           closed   v4-mapped, 224.0.0.1
::ffff:a9fe:a9fe                        metadata v4-mapped, 169.254.169.254
::ffff:a83f:8110                        metadata v4-mapped, 168.63.129.16
2002:808:808::1                         public   6to4, 8.8.8.8
2002:9ff:ffff::1                        public   6to4, 9.255.255.255
2002:a00::1                             closed   6to4, 10.0.0.0
2002:7f00:1::1                          closed   6to4, 127.0.0.1
2002:c0a8:ffff::1                       closed   6to4, 192.168.255.255
2002:e000:1::1                          closed   6to4, 224.0.0.1
2002:a9fe:a9fe::1                       metadata 6to4, 169.254.169.254
2002:a83f:8110::1                       metadata 6to4, 168.63.129.16
2001:0:4136:e378:8000:63bf:f7f7:f7f7    public   Teredo, 8.8.8.8
2001:0:4136:e378:8000:63bf:f600:0       public   Teredo, 9.255.255.255
2001:0:4136:e378:8000:63bf:f5ff:ffff    closed   Teredo, 10.0.0.0
2001:0:4136:e378:8000:63bf:80ff:fffe    closed   Teredo, 127.0.0.1
2001:0:4136:e378:8000:63bf:3f57:0       closed   Teredo, 192.168.255.255
2001:0:4136:e378:8000:63bf:1fff:fffe    closed   Teredo, 224.0.0.1
2001:0:4136:e378:8000:63bf:5601:5601    metadata Teredo, 169.254.169.254
2001:0:4136:e378:8000:63bf:57c0:7eef    metadata Teredo, 168.63.129.16
64:ff9b::808:808                        public   NAT64, 8.8.8.8
64:ff9b::9ff:ffff                       public   NAT64, 9.255.255.255
64:ff9b::a00:0                          closed   NAT64, 10.0.0.0
64:ff9b::7f00:1                         closed   NAT64, 127.0.0.1
64:ff9b::c0a8:ffff                      closed   NAT64, 192.168.255.255
64:ff9b::e000:1                         closed   NAT64, 224.0.0.1
64:ff9b::a9fe:a9fe                      metadata NAT64, 169.254.169.254
64:ff9b::a83f:8110                      metadata NAT64, 168.63.129.16
2001::                                  closed   Teredo 2001::/32, first, 255.255.255.255
2001:0:ffff:ffff:ffff:ffff:ffff:ffff    closed   Teredo 2001::/32, last, 0.0.0.0
2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff public   before 6to4
2002::                                  closed   6to4 2002::/16, first, 0.0.0.0
2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff closed   6to4 2002::/16, last, 255.255.255.255
2003::                                  public   after 6to4
64:ff9a:ffff:ffff:ffff:ffff:ffff:ffff   closed   before NAT64 64:ff9b::/96
64:ff9b::1:0:0                          closed   after NAT64 64:ff9b::/96
64:ff9b:1::                             closed   local NAT64 64:ff9b:1::/48, first
64:ff9b:1::808:808                      closed   local NAT64, 8.8.8.8
64:ff9b:1:ffff:ffff:ffff:ffff:ffff      closed   local NAT64 64:ff9b:1::/48, last
::fffe:ffff:ffff                        closed   before v4-mapped
::1:0:0:0                               closed   after v4-mapped
";
