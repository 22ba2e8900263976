# Sends one datagram and tells what came back, in hexadecimal digits.
use strict;
use warnings;
use Errno 'ECONNREFUSED';
use Socket;

my ($number, $address, $port, $ms, $text) = @ARGV;
sub told { print "told $number @_\n"; exit 0 }
sub failed { told($!{ECONNREFUSED} ? 'refused' : "broken $!") }
socket(my $door, PF_INET, SOCK_DGRAM, 0) or failed();
# A connected socket hears nobody else.
connect($door, sockaddr_in($port, inet_aton($address))) or failed();
defined send($door, pack('H*', $text), 0) or failed();
my $ready = '';
vec($ready, fileno $door, 1) = 1;
told('silence') if select($ready, undef, undef, $ms / 1000) < 1;
defined recv($door, my $data, 4096, 0) or failed();
told('answer', unpack('H*', $data));
