# The listeners of one probe task: each TCP connection is told the task's name, each UDP probe its nonce and the name.
# Ends with its standard input.
use strict;
use warnings;
use Socket;

my ($name, $tcp, $udp) = @ARGV;
my %kind;
my %by;
$SIG{PIPE} = 'IGNORE';

sub say_line { syswrite(STDOUT, "$_[0]\n"); }

sub open_all {
    my ($kind, $ports) = @_;
    for my $port (grep { $_ ne '-' } split /,/, $ports) {
        socket(my $one, PF_INET, $kind, 0) or die "socket: $!\n";
        setsockopt($one, SOL_SOCKET, SO_REUSEADDR, 1);
        bind($one, sockaddr_in($port, INADDR_ANY)) or die "port $port: $!\n";
        listen($one, 512) or die "port $port: $!\n" if $kind == SOCK_STREAM;
        $kind{fileno $one} = $kind;
        $by{fileno $one} = $one;
    }
}

sub answer {
    my ($one, $kind) = @_;
    if ($kind == SOCK_STREAM) {
        accept(my $connection, $one) or return;
        syswrite($connection, "mc01 $name\n");
        close $connection;
        return;
    }
    my $peer = recv($one, my $data, 2048, 0);
    return unless defined $peer && $data =~ /^mc01 (\d+)\s*$/;
    say_line("arrived $1");
    send($one, "mc01 $1 $name\n", 0, $peer);
}

open_all(SOCK_STREAM, $tcp);
open_all(SOCK_DGRAM, $udp);
say_line("listening $name");
my $rest = '';
while (1) {
    my $wanted = '';
    vec($wanted, $_, 1) = 1 for 0, keys %by;
    my $ready = $wanted;
    next if select($ready, undef, undef, undef) < 1;
    my @open = grep { vec($ready, $_, 1) } keys %by;
    answer($by{$_}, $kind{$_}) for @open;
    # Orders come last, after whatever waited for an answer.
    next if @open || !vec($ready, 0, 1);
    sysread(STDIN, my $read, 4096) or exit 0;
    $rest .= $read;
    while ($rest =~ s/^([^\n]*)\n//) { say_line("drained $name $1"); }
}
