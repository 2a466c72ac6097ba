if ($ExecutionContext.SessionState.LanguageMode -ne 'FullLanguage') { "@@NO@@ language-mode $($ExecutionContext.SessionState.LanguageMode)"; return }
$line = [Console]::In.ReadLine(); . ([scriptblock]::Create([Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($line))))
