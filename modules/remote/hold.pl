# One end of a TCP connection that is held open: says back what it is told. Ends with its standard input.
use strict;
use warnings;
use Socket;

my ($name, $port) = @ARGV;
$SIG{PIPE} = 'IGNORE';
socket(my $door, PF_INET, SOCK_STREAM, 0) or die "socket: $!\n";
setsockopt($door, SOL_SOCKET, SO_REUSEADDR, 1);
bind($door, sockaddr_in($port, INADDR_ANY)) or die "port $port: $!\n";
listen($door, 8) or die "port $port: $!\n";
syswrite(STDOUT, "answering $name\n");
my %flows;
while (1) {
    my $ready = '';
    vec($ready, $_, 1) = 1 for 0, fileno $door, keys %flows;
    next if select($ready, undef, undef, undef) < 1;
    if (vec($ready, 0, 1)) { sysread(STDIN, my $read, 4096) or exit 0; }
    if (vec($ready, fileno $door, 1)) {
        my $flow;
        $flows{fileno $flow} = $flow if accept($flow, $door);
    }
    for my $one (grep { vec($ready, $_, 1) } keys %flows) {
        if (sysread($flows{$one}, my $data, 4096)) { syswrite($flows{$one}, $data); }
        else { close delete $flows{$one}; }
    }
}
