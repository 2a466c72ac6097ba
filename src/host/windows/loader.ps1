$line = [Console]::In.ReadLine(); . ([scriptblock]::Create([Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($line))))
