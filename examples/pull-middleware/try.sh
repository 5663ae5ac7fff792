# Stands in for the API, until you stop it: gives the files of api/.
python3 -m http.server 8090 --bind 127.0.0.1 --directory api
