# Harvests a data provider with HTTP::OAI; prints identifier and status of each record.
use strict;
use warnings;
use HTTP::OAI;

my $harvester = HTTP::OAI::Harvester->new(baseURL => $ARGV[0], resume => 1);
my $answer = $harvester->ListRecords(
    metadataPrefix => 'oai_dc',
    onRecord => sub {
        my $record = shift;
        print $record->identifier, ' ', $record->is_deleted ? 'deleted' : 'active', "\n";
    },
);
die $answer->message, "\n" if $answer->is_error;
