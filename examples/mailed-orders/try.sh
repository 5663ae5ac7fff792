# A number behind a line is the answer that it gets, instead of 250.
curl --crlf --mail-from ana@partner.example --mail-rcpt orders+Lima@in.example.com -T order.eml smtp://127.0.0.1:2525
# Sent again: taken once.
curl --crlf --mail-from ana@partner.example --mail-rcpt orders+Lima@in.example.com -T order.eml smtp://127.0.0.1:2525
# From a machine: filtered. To nobody that is here: turned away.
curl --crlf --mail-from ana@partner.example --mail-rcpt orders+Lima@in.example.com -T away.eml smtp://127.0.0.1:2525
curl --crlf --mail-from ana@partner.example --mail-rcpt sales@in.example.com -T order.eml smtp://127.0.0.1:2525 # 550
