@set @v=0 /*
@echo off
:: The batch part: looks whether Windows Script Host may run at all, makes the
:: script a .js of its own and runs that.  render.py fills in <...> and takes
:: these comment lines out.  No line but the last may hold the end of a comment.
:: The .js starts with an extra comment opener, so that the first line, which
:: only cmd understands, never reaches the script engine.
:: Sysnative is there for 32-bit programs on 64-bit Windows only.
setlocal DisableDelayedExpansion
set "sys=%SystemRoot%\System32"
if exist "%SystemRoot%\Sysnative\cscript.exe" set "sys=%SystemRoot%\Sysnative"
set "d="
<console>
set "q=>nul 2>nul"
set "key=SOFTWARE\Microsoft\Windows Script Host\Settings"
set "HKLM="
set "HKCU="
for %%h in (HKLM HKCU) do for /f "tokens=1,3" %%a in ('%sys%\reg.exe query "%%h\%key%" /v Enabled 2^>nul') do if /i "%%a"=="Enabled" set "%%h=%%b"
for %%a in (0 0x0) do if "%HKLM%"=="%%a" goto machine
for %%a in (0 0x0) do if "%HKCU%"=="%%a" goto user
:: An account that may write the .js has it run with our rights.  So it lies in a folder that
:: did not exist before, where only administrators may make one; for an account that
:: may not, in its own temporary folder.  It runs only if all of it was written.
set "rc=cannot-write"
set "n=%~n0-%RANDOM%%RANDOM%"
mkdir "%SystemRoot%\%n%" %q%
if not errorlevel 1 set "d=%SystemRoot%\%n%"
if not defined d mkdir "%TEMP%\%n%" %q%
if not errorlevel 1 if not defined d set "d=%TEMP%\%n%"
if not defined d goto never
set "base=%d%\%~n0"
:: Under cmd /u what cmd itself prints is UTF-16; /a brings the bytes.
"%sys%\cmd.exe" /d /a /c echo /*^&type "%~f0">"%base%.js"
for %%a in ("%~f0") do set /a s=%%~za+4
for %%a in ("%base%.js") do if not "%%~za"=="%s%" goto never
set "o=//E:JScript //T:<seconds>"
:again
:: Without quotes of its own: what is in a name (R&D.bat) stays between those that are there.
set run="%sys%\cscript.exe" //nologo %o% "%base%.js"
%run% 2>"%base%.err"
set "rc=%errorlevel%"
:: The script makes a .ran as its first act.  No such file and no exit code of ours:
:: cscript did not take its options (some know neither //E nor //T).
:: 11 without it: the objects are missing that the script is made of.
if exist "%base%.ran" goto ran
for %%a in (10 12) do if "%rc%"=="%%a" goto ran
if "%rc%"=="11" goto never
if not defined o goto never
set "o="
if exist "%base%.js" goto again
:never
<never>
goto done
:machine
<machine>
set "rc=<off>"
goto ran
:user
<user>
set "rc=<off>"
:ran
<stopped>
:done
<limits>
<lock>
if defined d del /q /f "%base%.*" %q%
if defined d rmdir "%d%" %q%
set "x=1"
if "%rc%"=="10" set "x=0"
if "%rc%"=="12" set "x=2"
<end>
*/
